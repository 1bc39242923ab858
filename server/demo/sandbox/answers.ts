import type { Request, Response } from "express";
import type { JsonValue } from "../../provider/port.ts";

/** What Graph's side says, before it is sent: the body is JSON, or there is none. */
export type Answer = { kind: "answer"; status: number; body?: JsonValue };

/** Graph's two ways of saying no; `intune` hides the message in a JSON text. */
export type ErrorForm = "graph" | "intune";
export type Refusal = {
  kind: "refusal";
  form: ErrorForm;
  status: number;
  code: string;
  message: string;
  retryAfter?: string;
};

export function answered(status: number, body?: JsonValue): Answer {
  return body === undefined ? { kind: "answer", status } : { kind: "answer", status, body };
}

export function refused(form: ErrorForm, status: number, code: string, message: string): Refusal {
  return { kind: "refusal", form, status, code, message };
}

export function sendAnswer(request: Request, response: Response, answer: Answer | Refusal): Response {
  if (answer.kind === "answer") {
    response.status(answer.status);
    return answer.body === undefined ? response.end() : response.json(answer.body);
  }
  const { form, status, code, message, retryAfter } = answer;
  if (retryAfter !== undefined) response.set("retry-after", retryAfter);
  const send = form === "intune" ? sendIntuneError : sendGraphError;
  return send(request, response, status, code, message);
}

/** The address the client used, which is where absolute links must lead back to. */
export function originOf(request: Request): string {
  return `http://${request.get("host")}`;
}

/** Graph's error shape. The request id is the one that is in the answer's header already. */
export function sendGraphError(
  request: Request,
  response: Response,
  status: number,
  code: string,
  message: string,
): Response {
  const innerError = {
    date: new Date().toISOString(),
    "request-id": response.get("request-id"),
    "client-request-id": request.get("client-request-id"),
  };
  return response.status(status).json({ error: { code, message, innerError } });
}

/** Intune's way: the message is a JSON text, which ends in the address of an internal service. */
function sendIntuneError(
  request: Request,
  response: Response,
  status: number,
  code: string,
  message: string,
): Response {
  const operation = "00000000-0000-0000-0000-000000000000";
  const activity = response.get("request-id");
  const internal = `https://fef.sandbox.manage.example/StatelessFEService${request.path}?api-version=5025-01-01`;
  const nested = {
    _version: 3,
    Message: `${message} - Operation ID (for customer support): ${operation} - Activity ID: ${activity} - Url: ${internal}`,
    CustomApiErrorPhrase: "",
    RetryAfter: null,
    ErrorSourceService: "",
    HttpHeaders: "{}",
  };
  return sendGraphError(request, response, status, code, JSON.stringify(nested, null, 2));
}

/** The token endpoint's error shape. */
export function sendLoginError(
  response: Response,
  status: number,
  error: string,
  code: number,
  explanation: string,
): Response {
  const traceId = crypto.randomUUID();
  const timestamp = new Date().toISOString();
  return response.status(status).json({
    error,
    error_description: `AADSTS${code}: ${explanation} Trace ID: ${traceId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: crypto.randomUUID(),
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}
