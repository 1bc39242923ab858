import { afterAll, beforeAll } from "@jest/globals";
import { makeSandboxClient, type SandboxClient } from "../../server/demo/sandbox/client.ts";
import type { DirectoryDefinition } from "../../server/demo/sandbox/directories.ts";
import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import type { RequestRecord } from "../../server/demo/sandbox/requestLog.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import type { Timings } from "../../server/provider/graph/timings.ts";
import {
  type PolicyPage,
  type PolicyType,
  ProviderError,
  type ProviderReader,
} from "../../server/provider/port.ts";

export const clientId = "8d5f6a52-6f0b-4b43-9a55-0d3b0a3a7c11";
export const secret = "kept~Very.Secret_9f2Qz";
export const readRoles = ["DeviceManagementConfiguration.Read.All", "Organization.Read.All"];
export const never = new AbortController().signal;

/** A tenant's directory in the sandbox of one test file, with everything a case does to it. */
export type TestDirectory = {
  directoryId: string;
  sandbox: Sandbox;
  control: SandboxClient;
  openReader(credential?: { clientSecret?: string; clientId?: string; directoryId?: string }): ProviderReader;
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
      control,
      openReader: (other) => provider.openReader({ directoryId, clientId, clientSecret: secret, ...other }),
      setFaults: (...faults) => control.setFaults(directoryId, faults),
      requests: (kind) => started.requests.list(directoryId).filter((request) => request.kind === kind),
    };
  };
}

export async function readAllPages(
  reader: ProviderReader,
  type: PolicyType,
  signal: AbortSignal = never,
): Promise<PolicyPage[]> {
  const pages: PolicyPage[] = [];
  for await (const page of reader.listPolicies(type, signal)) pages.push(page);
  return pages;
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
