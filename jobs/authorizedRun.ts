import type { Tx } from "../server/db/database.ts";
import { findCredential } from "../server/domain/connections/findCredential.ts";
import type { Run } from "../server/domain/operations/run.ts";
import { type EffectSummary, runEffect } from "../server/domain/operations/runEffect.ts";
import { ProviderError, type ProviderReader } from "../server/provider/port.ts";
import type { WorkerDeps } from "./deps.ts";
import type { LiveAttempt } from "./liveAttempts.ts";

/**
 * All a task gets. It cannot touch the database but through `effect`, which gates each time, nor the provider
 * but through the reading half: what it is not handed, it cannot misuse.
 */
export type AuthorizedRun = {
  id: string;
  fencingToken: string;
  tenantId: string;
  /** The frozen target; the task parses it. */
  target: unknown;
  signal: AbortSignal;
  /** Opens the tenant's credential, no earlier than a task needs it. Throws `ProviderError` when there is none. */
  connect(): Promise<Connected>;
  effect(name: string, work: (tx: Tx) => Promise<EffectSummary>, options?: { per: "attempt" }): Promise<void>;
};

export type Connected = {
  connection: { id: string; directoryId: string; credentialVersion: number };
  provider: ProviderReader;
};

/** What a task works with. `connected` hears which credential it uses, should the provider refuse it. */
export function openRun(
  deps: WorkerDeps,
  { run, signal }: LiveAttempt,
  connected: (credentialVersion: number) => void,
): AuthorizedRun {
  if (run.tenantId === null)
    throw new Error(`Run ${run.id} has no tenant; no operation of the catalog is without one.`);
  return {
    id: run.id,
    fencingToken: run.fencingToken,
    tenantId: run.tenantId,
    target: run.target,
    signal,
    async connect() {
      const opened = await connect(deps, run);
      connected(opened.connection.credentialVersion);
      return opened;
    },
    async effect(name, work, options) {
      // A signal that has fired leaves no room for one more effect, even in a task that ignores it.
      signal.throwIfAborted();
      await runEffect(deps.db, run, { name, perAttempt: options?.per === "attempt" }, work);
    },
  };
}

async function connect(deps: WorkerDeps, run: Run): Promise<Connected> {
  if (run.connectionId === null)
    throw new Error(`Run ${run.id} has no connection; the gate lets none such through.`);
  const credential = await findCredential(deps.db, deps.credentialKeys, run.connectionId);
  if (credential === undefined)
    throw new ProviderError("credential_rejected", "No credential is stored for the connection");
  const { directoryId, credentialVersion } = credential;
  return {
    connection: { id: run.connectionId, directoryId, credentialVersion },
    provider: deps.provider.openReader(credential),
  };
}
