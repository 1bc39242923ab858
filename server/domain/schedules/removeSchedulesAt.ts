import type { Reader, Tx } from "../../db/database.ts";
import type { Actor } from "../audit/recordAudit.ts";
import type { AuthoritySubject } from "../revocation/changeAuthority.ts";
import type { KeptSchedule } from "./keptSchedule.ts";
import { recordSchedule } from "./recordSchedule.ts";

/** The keys of a tenant's schedules, for a change that is about to take them away. */
export async function scheduleKeysAt(reader: Reader, tenantId: string): Promise<AuthoritySubject[]> {
  const rows = await reader.query<{ id: string }>(
    "select id from schedules where tenant_id = $1 order by id",
    [tenantId],
  );
  return rows.map(({ id }) => ({ kind: "schedule", id }));
}

type Removed = Pick<
  KeptSchedule,
  "id" | "workspaceId" | "tenantId" | "operation" | "cron" | "timeZone" | "stewardName"
>;

/** Removes the schedules of a tenant that is being archived, each audited. Returns how many there were. */
export async function removeSchedulesAt(tx: Tx, actor: Actor, tenantId: string): Promise<number> {
  const removed = await tx.query<Removed>(
    `delete from schedules where tenant_id = $1
     returning id, workspace_id as "workspaceId", tenant_id as "tenantId", operation, cron,
       time_zone as "timeZone", steward_name as "stewardName"`,
    [tenantId],
  );
  for (const { cron, timeZone, stewardName, ...schedule } of removed)
    await recordSchedule(tx, actor, "deleted", schedule, {
      before: { cron, timeZone, steward: stewardName },
      after: null,
      why: "the tenant was archived",
    });
  return removed.length;
}
