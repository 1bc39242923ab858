import { afterAll, beforeAll } from "@jest/globals";
import type { WorkerDeps } from "../../jobs/deps.ts";
import type { InstallationRules } from "../../server/db/database.ts";
import { makeSandboxClient, type SandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { type TestDatabase, useDatabase } from "./database.ts";
import { makeTestWorker } from "./queue.ts";

export type Installation = TestDatabase & {
  sandbox: Sandbox;
  control: SandboxClient;
  worker: WorkerDeps;
};

/** A database, a sandbox provider and the worker's parts, for one test file. */
export function useInstallation(rules?: InstallationRules): Installation {
  const database = useDatabase(rules);
  const holder: { sandbox?: Sandbox; worker?: WorkerDeps } = {};
  beforeAll(async () => {
    holder.sandbox = await startSandbox({ port: 0, directories: [] });
    holder.worker = makeTestWorker(database.db, holder.sandbox.url);
  });
  afterAll(async () => {
    await holder.sandbox?.close();
  });
  const filled = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("The installation is there from beforeAll on.");
    return part;
  };
  return {
    get db() {
      return database.db;
    },
    get url() {
      return database.url;
    },
    get sandbox() {
      return filled(holder.sandbox);
    },
    get control() {
      return makeSandboxClient(filled(holder.sandbox).url);
    },
    get worker() {
      return filled(holder.worker);
    },
  };
}
