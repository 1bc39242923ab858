import { setTimeout as wait } from "node:timers/promises";
import { runOnce } from "graphile-worker";
import { pino } from "pino";
import { makeWorkerDeps, type WorkerDeps } from "../../../jobs/deps.ts";
import { makeQueueLogger } from "../../../jobs/queueLogger.ts";
import { makeTaskList } from "../../../jobs/taskList.ts";
import type { Db, Reader } from "../../db/database.ts";
import type { CredentialKey } from "../../domain/connections/sealing.ts";
import type { OperationName } from "../../domain/operations/catalog.ts";
import { requestRun } from "../../domain/operations/requestRun.ts";
import type { Provider } from "../../provider/port.ts";
import {
  adatum,
  contoso,
  fabrikamHq,
  felix,
  litware,
  omar,
  type Person,
  proseware,
  sam,
  type Tenant,
} from "./cast.ts";
import { idOf } from "./ids.ts";

type First = { operation: OperationName; tenant: Tenant; by: Person | null };

/** In two rounds: a sync relies on the verification before it. */
const rounds: readonly (readonly First[])[] = [
  [
    { operation: "provider.connection.verify", tenant: contoso, by: omar },
    { operation: "provider.connection.verify", tenant: adatum, by: omar },
    { operation: "provider.connection.verify", tenant: fabrikamHq, by: felix },
  ],
  [
    { operation: "inventory.sync", tenant: contoso, by: sam },
    { operation: "inventory.sync", tenant: adatum, by: null },
    { operation: "inventory.sync", tenant: fabrikamHq, by: felix },
    { operation: "inventory.sync", tenant: litware, by: omar },
    { operation: "inventory.sync", tenant: proseware, by: omar },
  ],
];

/**
 * Runs of just now, real ones: requested, gated and performed by the product itself against the sandbox, so
 * that their effects carry their proof. Asked again, it finds what it made.
 */
export async function makeFirstRuns(
  db: Db,
  keys: readonly CredentialKey[],
  provider: Provider,
): Promise<void> {
  const worker = makeWorkerDeps({ db, credentialKeys: keys, provider, log: pino({ level: "silent" }) });
  for (const round of rounds) {
    for (const first of round) await request(db, first);
    await drain(worker);
  }
}

/** Whether they were made, by this start of the demo or an earlier one. */
export async function haveFirstRunsEnded(reader: Reader): Promise<boolean> {
  const keys = rounds.flat().flatMap((first) => requestKeyOf(first) ?? []);
  const rows = await reader.query(
    "select 1 from operation_runs where request_key = any ($1::uuid[]) and status = 'completed'",
    [keys],
  );
  return rows.length === keys.length;
}

function requestKeyOf({ operation, tenant, by }: First): string | null {
  return by === null ? null : idOf("request", `${operation}/${tenant.name}`);
}

async function request(db: Db, first: First): Promise<void> {
  const { operation, tenant, by } = first;
  const outcome = await requestRun(db, {
    operation,
    workspaceId: tenant.workspace.id,
    tenantId: tenant.id,
    initiator: by === null ? null : { id: by.id, name: by.name },
    trigger: by === null ? "command" : "page",
    requestKey: requestKeyOf(first),
    expiresInHours: 24,
  });
  if (outcome.kind === "refused")
    throw new Error(`The demo's ${operation} was refused: ${outcome.reasonCode}`);
}

async function drain(worker: WorkerDeps): Promise<void> {
  await runOnce({
    pgPool: worker.db.pool,
    taskList: makeTaskList(worker),
    parsedCronItems: [],
    noHandleSignals: true,
    concurrency: 4,
    logger: makeQueueLogger(worker.log),
  });
  // It does not wait for its own last word on a job, and the pool is about to be closed.
  while (await isQueueBusy(worker.db)) await wait(5);
}

async function isQueueBusy(reader: Reader): Promise<boolean> {
  const rows = await reader.query("select 1 from graphile_worker._private_jobs where locked_at is not null");
  return rows.length > 0;
}
