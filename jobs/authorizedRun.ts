import type { Tx } from "../server/db/database.ts";
import { findCredential } from "../server/domain/connections/findCredential.ts";
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
  connection: { id: string; directoryId: string; credentialVersion: number };
  provider: ProviderReader;
  signal: AbortSignal;
  effect(name: string, work: (tx: Tx) => Promise<EffectSummary>, options?: { per: "attempt" }): Promise<void>;
};

/** Opens what an attempt works with. Throws `ProviderError` when there is no credential to use. */
export async function openRun(deps: WorkerDeps, { run, signal }: LiveAttempt): Promise<AuthorizedRun> {
  if (run.tenantId === null || run.connectionId === null)
    throw new Error(`Run ${run.id} has no tenant or connection; the gate lets none such through.`);
  const credential = await findCredential(deps.db, deps.credentialKeys, run.connectionId);
  if (credential === undefined)
    throw new ProviderError("credential_rejected", "No credential is stored for the connection");
  return {
    id: run.id,
    fencingToken: run.fencingToken,
    tenantId: run.tenantId,
    target: run.target,
    connection: {
      id: run.connectionId,
      directoryId: credential.directoryId,
      credentialVersion: credential.credentialVersion,
    },
    provider: deps.provider.openReader(credential),
    signal,
    async effect(name, work, options) {
      // A signal that has fired leaves no room for one more effect, even in a task that ignores it.
      signal.throwIfAborted();
      await runEffect(deps.db, run, { name, perAttempt: options?.per === "attempt" }, work);
    },
  };
}
