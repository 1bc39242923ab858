import { z } from "zod";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { AppDefinition, DirectoryDefinition } from "./directories.ts";
import type { FaultInput } from "./faults.ts";
import type { Group } from "./groups.ts";
import type { Extras } from "./policies.ts";
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
  /** Replaces all policies by `count` generated ones, over the three types; those of `extras` are as before. */
  setPolicies(directoryId: string, count: number): Promise<void>;
  /** Replaces the policies of the named types by so many generated ones. */
  setExtras(directoryId: string, extras: Extras): Promise<void>;
  /** Adds or replaces one policy, whatever Graph would say to it. Its properties are known to the type after. */
  putPolicy(
    directoryId: string,
    type: PolicyType,
    id: string,
    payload: JsonObject,
    assignments?: JsonObject[],
  ): Promise<void>;
  removePolicy(directoryId: string, type: PolicyType, id: string): Promise<void>;
  /** A policy as it stands, with everything that belongs to it; null when it is not there. */
  getPolicy(directoryId: string, type: PolicyType, id: string): Promise<KeptPolicy | null>;
  /** All policies of a type as they stand, in the order in which they came. */
  listPolicies(directoryId: string, type: PolicyType): Promise<KeptPolicy[]>;
  /** Adds a group, or gives it another name. */
  putGroup(directoryId: string, group: Group): Promise<void>;
  removeGroup(directoryId: string, groupId: string): Promise<void>;
  /** What the sandbox was asked, oldest first. */
  requests(directoryId?: string): Promise<RequestRecord[]>;
  clearRequests(): Promise<void>;
};

const anObject = z.record(z.string(), z.json());
const keptPolicy = z.object({ id: z.string(), payload: anObject, assignments: z.array(anObject) });
export type KeptPolicy = z.infer<typeof keptPolicy>;

const requestsAnswer = z.object({ requests: z.array(requestRecord) });
const policyAnswer = z.object({ policy: keptPolicy.nullable() });
const policiesAnswer = z.object({ policies: z.array(keptPolicy) });

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
    setExtras: (id, extras) => tell("PUT", `${directory(id)}/extras`, extras),
    putPolicy: (id, type, policyId, payload, assignments) =>
      tell("PUT", policy(id, type, policyId), { payload, assignments }),
    removePolicy: (id, type, policyId) => tell("DELETE", policy(id, type, policyId)),
    async getPolicy(id, type, policyId) {
      const response = await send("GET", policy(id, type, policyId));
      return policyAnswer.parse(await response.json()).policy;
    },
    async listPolicies(id, type) {
      const response = await send("GET", `${directory(id)}/policies/${type}`);
      return policiesAnswer.parse(await response.json()).policies;
    },
    putGroup: (id, group) => tell("PUT", `${directory(id)}/groups/${encodeURIComponent(group.id)}`, group),
    removeGroup: (id, groupId) => tell("DELETE", `${directory(id)}/groups/${encodeURIComponent(groupId)}`),
    async requests(directoryId) {
      const filter = directoryId === undefined ? "" : `?directory=${encodeURIComponent(directoryId)}`;
      const response = await send("GET", `/requests${filter}`);
      return requestsAnswer.parse(await response.json()).requests;
    },
    clearRequests: () => tell("DELETE", "/requests"),
  };
}
