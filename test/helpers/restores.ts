import { v7 as uuidv7 } from "uuid";
import { openRun } from "../../jobs/authorizedRun.ts";
import type { Db } from "../../server/db/database.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import type { RecordSettled } from "../../server/domain/operations/settleWrite.ts";
import type { PolicyWrite } from "../../server/provider/port.ts";
import type { Installation } from "./installation.ts";
import type { Northwind } from "./northwind.ts";
import { giveOwnRole } from "./roles.ts";

export type Frozen = { setId: string; planId: string; digest: string };

/** A backup set without items and a finished preview of restoring it, for runs whose writes a test makes itself. */
export async function freezePlan(db: Db, { northwind, contoso }: Northwind): Promise<Frozen> {
  const [setId, planId, digest] = [uuidv7(), uuidv7(), "digest"];
  await db.transaction(async (tx) => {
    await tx.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
      setId,
      northwind.id,
      contoso.id,
    ]);
    await tx.query(
      `insert into backup_set_details (set_id, kind, tenant_name, types, completed_at)
       values ($1, 'backup', $2, '{deviceConfigurations}', clock_timestamp())`,
      [setId, contoso.name],
    );
    await tx.query(
      `insert into restore_plans (id, workspace_id, tenant_id, source_set_id, source_tenant_id, options, digest,
         completed_at)
       values ($1, $2, $3, $4, $3, '{}', $5, clock_timestamp())`,
      [planId, northwind.id, contoso.id, setId, digest],
    );
  });
  return { setId, planId, digest };
}

/** Requests a restore as Omar, who is given a role that allows it. */
export async function requestRestoreRun(db: Db, world: Northwind): Promise<string> {
  await giveOwnRole(db, world);
  const { setId, planId, digest } = await freezePlan(db, world);
  const outcome = await requestRun(db, {
    operation: "restore.execute",
    workspaceId: world.northwind.id,
    tenantId: world.contoso.id,
    initiator: world.omar,
    trigger: "page",
    requestKey: null,
    expiresInHours: 24,
    target: { planId, digest, types: ["deviceConfigurations"], reason: "test" },
    backupSetId: setId,
  });
  if (outcome.kind !== "stored" || outcome.blocked) throw new Error("The restore was not accepted.");
  return outcome.runId;
}

/** A restore whose first attempt the gate has just allowed; nothing of it is done yet. */
export async function beginRestore(
  { db, worker }: Pick<Installation, "db" | "worker">,
  world: Northwind,
): Promise<Run> {
  const id = await requestRestoreRun(db, world);
  return beginAgain({ worker }, id);
}

/** The next attempt of a run, as a job would begin it. */
export async function beginAgain({ worker }: Pick<Installation, "worker">, id: string): Promise<Run> {
  const answer = await worker.begin({ operation: "restore.execute", runId: id, jobId: uuidv7() });
  if (answer.kind !== "authorized") throw new Error(`The run did not begin: ${answer.kind}`);
  return answer.run;
}

/** The run's own handle, as its task gets it, and a name to write policies under. */
export function openWriting({ worker }: Pick<Installation, "worker">, run: Run) {
  const attempt = worker.attempts.open(run, undefined);
  const opened = openRun(worker, attempt, countSettled, () => {});
  return { ...opened, attempt, create: (name: string) => opened.providerEffect(creationOf(worker, name)) };
}

/** Counts what became of each call under its state. */
export const countSettled: RecordSettled = async (_tx, { state }) => ({ items: 1, counts: { [state]: 1 } });

/** The call that creates a policy of that name. */
export function creationOf({ provider }: Installation["worker"], name: string) {
  const type = "deviceConfigurations";
  const body = {
    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
    displayName: name,
    passwordRequired: true,
  };
  return {
    name: `item:${name}:create`,
    write: { action: "create" as const, type, id: null, body } satisfies PolicyWrite,
    matchKey: provider.model.matchKeyOf(type, body),
    before: null,
    after: null,
    item: { name },
  };
}
