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
 * All that a task without a tenant gets. It cannot touch the database but through `effect`, which gates each
 * time: what it is not handed, it cannot misuse.
 */
export type TenantlessRun = {
  id: string;
  workspaceId: string;
  fencingToken: string;
  /** The frozen target; the task parses it. */
  target: unknown;
  signal: AbortSignal;
  effect(name: string, work: (tx: Tx) => Promise<EffectSummary>, options?: EffectOptions): Promise<void>;
  /** Records what only the gate may judge, and asks it; throws `RunStopped` when the run may not go on. */
  reconsider(work: (tx: Tx) => Promise<void>): Promise<void>;
  /** Reads what the run works on, in a transaction that cannot write. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  /** How many items there are to do, for the progress. */
  total(items: number): Promise<void>;
};

/** All that a task at a tenant gets: besides, the provider through its reading half and `providerEffect`. */
export type AuthorizedRun = TenantlessRun & {
  tenantId: string;
  /** Opens the tenant's credential, no earlier than a task needs it. Throws `ProviderError` when there is none. */
  connect(): Promise<Connected>;
  /** One writing call: gated, on the wire until its deadline at most, settled (see `performWrite`). */
  providerEffect(effect: ProviderEffect): Promise<SettledWrite>;
};

/** `takesAway`: the backup sets that go with it, for an operation that says it changes that authority. */
export type EffectOptions = { per?: "attempt"; takesAway?: readonly string[] };

export type Connected = {
  connection: OpenProvider["connection"];
  provider: ProviderReader;
  model: PolicyModel;
};

/** What a task at a tenant works with. `connected` hears which credential it uses, should the provider refuse it. */
export function openRun(
  deps: WorkerDeps,
  attempt: LiveAttempt,
  record: RecordSettled | null,
  connected: (credentialVersion: number) => void,
): AuthorizedRun {
  const { run, signal } = attempt;
  const { tenantId } = run;
  if (tenantId === null) throw new Error(`Run ${run.id} has no tenant, but ${run.operation} works at one.`);
  let opened: Promise<OpenProvider> | undefined;
  const open = async (): Promise<OpenProvider> => {
    opened ??= openProvider(deps, connectionOf(run));
    const provider = await opened;
    connected(provider.connection.credentialVersion);
    return provider;
  };
  return {
    ...openTenantlessRun(deps, attempt),
    tenantId,
    async connect() {
      const { connection, reader } = await open();
      return { connection, provider: reader, model: deps.provider.model };
    },
    async providerEffect(effect) {
      if (record === null) throw new Error(`${run.operation} writes, but says nothing of what became of it.`);
      return performWrite({ deps, run, signal, provider: await open(), record }, effect);
    },
  };
}

/** What a task without a tenant works with. */
export function openTenantlessRun(deps: WorkerDeps, { run, signal }: LiveAttempt): TenantlessRun {
  return {
    id: run.id,
    workspaceId: run.workspaceId,
    fencingToken: run.fencingToken,
    target: run.target,
    signal,
    async effect(name, work, { per, takesAway = [] } = {}) {
      // A signal that has fired leaves no room for one more effect, even in a task that ignores it.
      signal.throwIfAborted();
      await runEffect(deps.db, run, { name, perAttempt: per === "attempt", backups: takesAway }, work);
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
