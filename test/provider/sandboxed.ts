import { createServer } from "node:net";
import { afterAll, beforeAll } from "@jest/globals";
import { makeSandboxClient, type SandboxClient } from "../../server/demo/sandbox/client.ts";
import type { DirectoryDefinition } from "../../server/demo/sandbox/directories.ts";
import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import type { RequestRecord } from "../../server/demo/sandbox/requestLog.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import type { Timings } from "../../server/provider/graph/timings.ts";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import {
  type PolicyPage,
  type PolicyWrite,
  type Provider,
  ProviderError,
  type ProviderReader,
  type ProviderWriter,
} from "../../server/provider/port.ts";
import { anyTime } from "../helpers/callTime.ts";

export const clientId = "8d5f6a52-6f0b-4b43-9a55-0d3b0a3a7c11";
export const secret = "kept~Very.Secret_9f2Qz";
/** What reading everything needs, and what writing needs besides. */
export const readRoles = [
  "DeviceManagementConfiguration.Read.All",
  "DeviceManagementScripts.Read.All",
  "Policy.Read.All",
  "Group.Read.All",
  "Organization.Read.All",
];
export const writeRoles = [
  "DeviceManagementConfiguration.ReadWrite.All",
  "DeviceManagementScripts.ReadWrite.All",
  "Policy.ReadWrite.ConditionalAccess",
  "Application.Read.All",
];
/** A directory whose app may write, too. */
export const writable = {
  apps: [{ clientId, secret, secretState: "valid", roles: [...readRoles, ...writeRoles] }],
} satisfies Partial<DirectoryDefinition>;
/** So many of each type that a directory would else have none of. */
export const everyType = {
  assignmentFilters: 3,
  roleScopeTags: 3,
  groupPolicyConfigurations: 3,
  deviceManagementScripts: 3,
  conditionalAccessPolicies: 3,
};
/** Enough groups for policies to be assigned to. */
export const someGroups = ["All staff", "Pilot", "Kiosks"].map((displayName, index) => ({
  id: `0000000${index}-aaaa-4bbb-8ccc-000000000000`,
  displayName,
}));
export const never = new AbortController().signal;

/** A tenant's directory in the sandbox of one test file, with everything a case does to it. */
export type TestDirectory = {
  directoryId: string;
  sandbox: Sandbox;
  control: SandboxClient;
  provider: Provider;
  openReader(credential?: { clientSecret?: string; clientId?: string; directoryId?: string }): ProviderReader;
  openWriter(): ProviderWriter;
  setFaults(...faults: FaultInput[]): Promise<void>;
  requests(kind: RequestRecord["kind"]): RequestRecord[];
};

/** Waits so short that a case with four attempts takes no time to speak of. */
const quick: Partial<Timings> = { callMs: 5_000, backoffMs: 2, secondMs: 5 };

/** One sandbox per test file; each call of what it gives makes a directory of its own. */
export function useSandbox() {
  let sandbox: Sandbox | undefined;
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, directories: [] });
  });
  afterAll(() => sandbox?.close());

  return async function openDirectory(
    definition: Partial<DirectoryDefinition> = {},
    timings: Partial<Timings> = {},
  ): Promise<TestDirectory> {
    if (sandbox === undefined) throw new Error("The sandbox is not running");
    const started = sandbox;
    const directoryId = crypto.randomUUID();
    const control = makeSandboxClient(started.url);
    const app = { clientId, secret, secretState: "valid", roles: readRoles } as const;
    await control.putDirectory({ directoryId, displayName: "Northwind", apps: [app], ...definition });
    const provider = makeGraphProvider({
      graphUrl: started.url,
      loginUrl: started.url,
      timings: { ...quick, ...timings },
    });
    return {
      directoryId,
      sandbox: started,
      provider,
      control,
      openReader: ({ clientSecret, ...other } = {}) =>
        provider.openReader({
          directoryId,
          clientId,
          proof: { kind: "secret", secret: clientSecret ?? secret },
          ...other,
        }),
      openWriter: () => provider.openWriter({ directoryId, clientId, proof: { kind: "secret", secret } }),
      setFaults: (...faults) => control.setFaults(directoryId, faults),
      requests: (kind) => started.requests.list(directoryId).filter((request) => request.kind === kind),
    };
  };
}

export async function readAllPages(
  reader: ProviderReader,
  type: PolicyType,
  signal: AbortSignal = never,
  options?: { assignments: boolean },
): Promise<PolicyPage[]> {
  const pages: PolicyPage[] = [];
  for await (const page of reader.listPolicies(type, signal, options)) pages.push(page);
  return pages;
}

/** Makes the planned calls one after the other, as a restore does, and says which object they were about. */
export async function carryOut(writer: ProviderWriter, plan: PolicyWrite[]): Promise<string> {
  let id = "";
  for (const write of plan) {
    const whole = { ...write, id: write.action === "create" ? null : (write.id ?? id) };
    ({ id } = await writer.write(whole, crypto.randomUUID(), anyTime));
  }
  return id;
}

/** The `ProviderError` that the promise rejects with; anything else fails the test. */
export async function refusalOf(promise: Promise<unknown>): Promise<ProviderError> {
  const outcome = await promise.then(
    () => new Error("It was not refused"),
    (error: unknown) => error,
  );
  if (outcome instanceof ProviderError) return outcome;
  throw outcome;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}
