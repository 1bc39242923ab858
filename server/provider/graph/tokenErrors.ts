import { z } from "zod";
import { ProviderError, type ProviderErrorCode } from "../port.ts";
import { requestIdOf } from "./graphErrors.ts";

const tokenErrorBody = z.object({
  error: z.string(),
  error_description: z.string().optional(),
  error_codes: z.array(z.number()).optional(),
  trace_id: z.string().optional(),
});

type LoginErrorCode = Exclude<ProviderErrorCode, "permission_missing">;

const meaningOf: Record<number, LoginErrorCode> = {
  7000215: "credential_rejected", // wrong secret
  7000222: "credential_rejected", // expired secret
  700027: "credential_rejected", // wrong or expired certificate
  700016: "credential_rejected", // the directory has no such application
  7000112: "credential_rejected", // the application is disabled in the directory
  7000229: "credential_rejected", // the application was never consented to in this directory
  90002: "credential_rejected", // no such directory
  53003: "approval_required", // the tenant's own conditional access
  90033: "unavailable", // the identity provider's own "try later"
};

const sentenceFor: Record<LoginErrorCode, string> = {
  credential_rejected: "The identity provider refuses these credentials",
  approval_required: "The tenant's conditional access refuses this application",
  unavailable: "The identity provider is not available",
  rejected: "The identity provider refused the token request",
  malformed_answer: "The identity provider's answer is not what the contract says",
};

/**
 * The error that a token endpoint's refusal stands for. Its text is ours throughout: the description the
 * identity provider gives quotes what it was sent.
 */
export async function errorFromLogin(response: Response): Promise<ProviderError> {
  const body = tokenErrorBody.safeParse(await response.json().catch(() => null));
  const { headers } = response;
  const requestId = requestIdOf(
    headers.get("x-ms-request-id"),
    headers.get("request-id"),
    body.data?.trace_id,
  );
  const aadsts = body.success ? aadstsCode(body.data) : null;
  const code = codeFor(response.status, aadsts, body.success);
  const detail = aadsts === null ? `HTTP ${response.status}` : `AADSTS${aadsts}`;
  return new ProviderError(code, `${sentenceFor[code]} (${detail})`, { detail, requestId });
}

function codeFor(status: number, aadsts: number | null, readable: boolean): LoginErrorCode {
  if (status === 429 || status >= 500) return "unavailable";
  const meaning = aadsts === null ? undefined : meaningOf[aadsts];
  if (meaning !== undefined) return meaning;
  return readable && status >= 400 ? "rejected" : "malformed_answer";
}

function aadstsCode(body: z.infer<typeof tokenErrorBody>): number | null {
  const described = /AADSTS(\d+)/.exec(body.error_description ?? "")?.[1];
  return body.error_codes?.[0] ?? (described === undefined ? null : Number(described));
}
