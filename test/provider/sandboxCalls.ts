import type { DirectoryDefinition } from "../../server/demo/sandbox/directories.ts";
import { readJson } from "../../server/demo/sandbox/graph/call.ts";
import type { JsonValue } from "../../server/provider/port.ts";
import { clientId, readRoles, secret, type TestDirectory, type useSandbox, writeRoles } from "./sandboxed.ts";

type Answered = { status: number; headers: Headers; text: string; body: JsonValue | undefined };

/** A directory and plain calls of Graph at it, with a token that may do everything unless told otherwise. */
export type Caller = TestDirectory & {
  call(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answered>;
  /** The same with a text of any kind. */
  send(method: string, path: string, text?: string, type?: string, signal?: AbortSignal): Promise<Answered>;
  /** The message of a refusal with this status, unwrapped where Intune wrapped it; fails for any other answer. */
  refusal(status: number, method: string, path: string, body?: unknown): Promise<string>;
};

export async function openCaller(
  openDirectory: ReturnType<typeof useSandbox>,
  {
    roles = [...readRoles, ...writeRoles],
    ...definition
  }: Partial<DirectoryDefinition> & { roles?: string[] } = {},
): Promise<Caller> {
  const apps = [{ clientId, secret, secretState: "valid" as const, roles }];
  const directory = await openDirectory({ apps, policies: 0, ...definition });
  const { url } = directory.sandbox;
  const token = await obtainToken(url, directory.directoryId);
  const send: Caller["send"] = async (method, path, given, type, signal) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(type !== undefined && { "content-type": type }) },
      ...(given !== undefined && { body: given }),
      ...(signal !== undefined && { signal }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: readJson(text) };
  };
  const call: Caller["call"] = (method, path, body, signal) =>
    body === undefined
      ? send(method, path, undefined, undefined, signal)
      : send(method, path, JSON.stringify(body), "application/json", signal);
  return {
    ...directory,
    call,
    send,
    async refusal(status, method, path, body) {
      const answer = await call(method, path, body);
      if (answer.status !== status) throw new Error(`It was answered ${answer.status}: ${answer.text}`);
      return messageOf(answer.text);
    },
  };
}

export async function obtainToken(
  url: string,
  directoryId: string,
  proof: Record<string, string> = { client_secret: secret },
): Promise<string> {
  const response = await requestToken(url, directoryId, proof);
  const { access_token: token } = JSON.parse(await response.text());
  return token;
}

export function requestToken(
  url: string,
  directoryId: string,
  proof: Record<string, string>,
): Promise<Response> {
  return fetch(`${url}/${directoryId}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      scope: `${url}/.default`,
      ...proof,
    }),
  });
}

function messageOf(text: string): string {
  const { message } = JSON.parse(text).error;
  return message.startsWith("{") ? `Intune: ${JSON.parse(message).Message}` : message;
}
