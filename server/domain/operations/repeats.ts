import type { Tx } from "../../db/database.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import type { Run } from "./run.ts";

/**
 * A denied system request that only says again what the last one said (the last of its schedule, if one asks)
 * is counted on it instead of stored anew, so that a schedule which cannot run does not bury the page. Returns
 * the id of the run it was counted on, or undefined when the last run of this kind ended otherwise.
 */
export async function collapseRepeat(tx: Tx, run: Run, reasonCode: ReasonCode): Promise<string | undefined> {
  // Two system requests at once would both find nothing; this key is no authority key and held by nobody else.
  await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
    `system-request:${run.workspaceId}:${run.tenantId}:${run.operation}:${run.scheduleId}`,
  ]);
  const [repeated] = await tx.query<{ id: string }>(
    `update operation_runs set repeats = repeats + 1, last_repeat_at = clock_timestamp()
     where id = (
       select id from operation_runs
       where tenant_id is not distinct from $1 and workspace_id = $2 and operation = $3
         and ($5::uuid is null or schedule_id = $5)
       order by id desc limit 1)
     and authority_mode = 'system_authority' and schedule_id is not distinct from $5 and reason_code = $4 and started_at is null
     returning id`,
    [run.tenantId, run.workspaceId, run.operation, reasonCode, run.scheduleId],
  );
  return repeated?.id;
}
