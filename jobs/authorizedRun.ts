import { type Db, type Reader, type Tx, workerBounds } from "../server/db/database.ts";
import { retrying } from "../server/db/retrying.ts";
import type { SettledWrite } from "../server/domain/operations/intent.ts";
import { reconsiderRun, setTotal } from "../server/domain/operations/reconsiderRun.ts";
import type { Run } from "../server/domain/operations/run.ts";
import { type EffectSummary, runEffect } from "../server/domain/operations/runEffect.ts";
import type { RecordSettled } from "../server/domain/operations/settleWrite.ts";
import type { PolicyModel, ProviderReader } from "../server/provider/port.ts";
import type { WorkerDeps } from "./deps.ts";
import type { LiveAttempt } from "./liveAttempts.ts";
import { type OpenProvider, openProvider } from "./openProvider.ts";
import { type ProviderEffect, performWrite } from "./performWrite.ts";

/**
 * All a task gets. It cannot touch the database but through `effect`, which gates each time, nor the provider
 * but through the reading half and `providerEffect`: what it is not handed, it cannot misuse.
 */
export type AuthorizedRun = {
  id: string;
  workspaceId: string;
  tenantId: string;
  fencingToken: string;
  /** The frozen target; the task parses it. */
  target: unknown;
  signal: AbortSignal;
  /** Opens the tenant's credential, no earlier than a task needs it. Throws `ProviderError` when there is none. */
  connect(): Promise<Connected>;
  effect(name: string, work: (tx: Tx) => Promise<EffectSummary>, options?: { per: "attempt" }): Promise<void>;
  /** One writing call: gated, on the wire until its deadline at most, settled (see `performWrite`). */
  providerEffect(effect: ProviderEffect): Promise<SettledWrite>;
  /** Records what only the gate may judge, and asks it; throws `RunStopped` when the run may not go on. */
  reconsider(work: (tx: Tx) => Promise<void>): Promise<void>;
  /** Reads what the run works on, in a transaction that cannot write. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  /** How many items there are to do, for the progress. */
  total(items: number): Promise<void>;
};

export type Connected = {
  connection: OpenProvider["connection"];
  provider: ProviderReader;
  model: PolicyModel;
};

/** What a task works with. `connected` hears which credential it uses, should the provider refuse it. */
export function openRun(
  deps: WorkerDeps,
  { run, signal }: LiveAttempt,
  record: RecordSettled | null,
  connected: (credentialVersion: number) => void,
): AuthorizedRun {
  const { tenantId } = run;
  if (tenantId === null)
    throw new Error(`Run ${run.id} has no tenant; no operation of the catalog is without one.`);
  let opened: Promise<OpenProvider> | undefined;
  const open = async (): Promise<OpenProvider> => {
    opened ??= openProvider(deps, connectionOf(run));
    const provider = await opened;
    connected(provider.connection.credentialVersion);
    return provider;
  };
  return {
    id: run.id,
    workspaceId: run.workspaceId,
    tenantId,
    fencingToken: run.fencingToken,
    target: run.target,
    signal,
    async connect() {
      const { connection, reader } = await open();
      return { connection, provider: reader, model: deps.provider.model };
    },
    async effect(name, work, options) {
      // A signal that has fired leaves no room for one more effect, even in a task that ignores it.
      signal.throwIfAborted();
      await runEffect(deps.db, run, { name, perAttempt: options?.per === "attempt" }, work);
    },
    async providerEffect(effect) {
      if (record === null) throw new Error(`${run.operation} writes, but says nothing of what became of it.`);
      return performWrite({ deps, run, signal, provider: await open(), record }, effect);
    },
    async reconsider(work) {
      signal.throwIfAborted();
      await reconsiderRun(deps.db, run, work);
    },
    async read(work) {
      signal.throwIfAborted();
      return readOnly(deps.db, work);
    },
    total: (items) => setTotal(deps.db, run, items),
  };
}

/** `work` may be called again when the transaction was cut off. */
function readOnly<T>(db: Db, work: (reader: Reader) => Promise<T>): Promise<T> {
  const read = async (tx: Tx) => {
    await tx.query("set transaction read only");
    return work(tx);
  };
  return retrying(() => db.transaction(read, workerBounds));
}

function connectionOf(run: Run): string {
  if (run.connectionId === null)
    throw new Error(`Run ${run.id} has no connection; the gate lets none such through.`);
  return run.connectionId;
}
