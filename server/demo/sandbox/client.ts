import { z } from "zod";
import type { JsonObject, PolicyType } from "../../provider/port.ts";
import type { AppDefinition, DirectoryDefinition } from "./directories.ts";
import type { FaultInput } from "./faults.ts";
import { type RequestRecord, requestRecord } from "./requestLog.ts";

export type SandboxClient = {
  /** Adds a directory, or starts an existing one afresh, with newly generated policies. */
  putDirectory(definition: DirectoryDefinition): Promise<void>;
  /** Replaces all faults of a directory. */
  setFaults(directoryId: string, faults: FaultInput[]): Promise<void>;
  clearFaults(directoryId: string): Promise<void>;
  /** Adds or replaces an app: its secret, whether that is expired, its roles. Issued tokens keep their roles. */
  setApp(directoryId: string, app: AppDefinition): Promise<void>;
  /** Every token issued so far is refused from now on. */
  revokeTokens(directoryId: string): Promise<void>;
  /** Replaces all policies by `count` generated ones, over the three types. */
  setPolicies(directoryId: string, count: number): Promise<void>;
  /** Adds or replaces one policy. */
  putPolicy(directoryId: string, type: PolicyType, id: string, payload: JsonObject): Promise<void>;
  removePolicy(directoryId: string, type: PolicyType, id: string): Promise<void>;
  /** What the sandbox was asked, oldest first. */
  requests(directoryId?: string): Promise<RequestRecord[]>;
  clearRequests(): Promise<void>;
};

const requestsAnswer = z.object({ requests: z.array(requestRecord) });

/** The control path of the sandbox at `url`. Every call rejects with an `Error` unless the sandbox complied. */
export function makeSandboxClient(url: string): SandboxClient {
  const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(`${url}/_sandbox${path}`, { method, ...(body === undefined ? {} : json) });
    if (!response.ok)
      throw new Error(`Sandbox: ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const tell = async (method: string, path: string, body?: unknown): Promise<void> => {
    await send(method, path, body);
  };
  const directory = (id: string): string => `/directories/${encodeURIComponent(id)}`;
  const policy = (id: string, type: PolicyType, policyId: string): string =>
    `${directory(id)}/policies/${type}/${encodeURIComponent(policyId)}`;

  return {
    putDirectory: (definition) => tell("PUT", directory(definition.directoryId), definition),
    setFaults: (id, faults) => tell("POST", `${directory(id)}/faults`, { faults }),
    clearFaults: (id) => tell("DELETE", `${directory(id)}/faults`),
    setApp: (id, app) => tell("PUT", `${directory(id)}/apps/${encodeURIComponent(app.clientId)}`, app),
    revokeTokens: (id) => tell("POST", `${directory(id)}/token-revocation`),
    setPolicies: (id, count) => tell("PUT", `${directory(id)}/policies`, { count }),
    putPolicy: (id, type, policyId, payload) => tell("PUT", policy(id, type, policyId), payload),
    removePolicy: (id, type, policyId) => tell("DELETE", policy(id, type, policyId)),
    async requests(directoryId) {
      const filter = directoryId === undefined ? "" : `?directory=${encodeURIComponent(directoryId)}`;
      const response = await send("GET", `/requests${filter}`);
      return requestsAnswer.parse(await response.json()).requests;
    },
    clearRequests: () => tell("DELETE", "/requests"),
  };
}
