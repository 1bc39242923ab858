import type { Db, Reader } from "../../db/database.ts";
import { requestRun } from "../operations/requestRun.ts";

/** Backup sets of one tenant that are older than they are kept. */
export type ExpiredBackups = { workspaceId: string; tenantId: string; setIds: string[] };

/** Sets looked for in one go; the rest waits for the next time. */
const most = 500;

/**
 * Asks, under system authority, for a run per tenant that deletes its expired backup sets. Like any other run
 * it is gated and seen in monitoring. Returns how many runs were asked for.
 */
export async function expireBackups(
  db: Db,
  { before, expiresInHours }: { before: Date; expiresInHours: number },
): Promise<number> {
  const expired = await listExpiredBackups(db, before);
  for (const { workspaceId, tenantId, setIds } of expired)
    await requestRun(db, {
      operation: "backups.bulk_delete",
      workspaceId,
      tenantId,
      initiator: null,
      trigger: "retention",
      requestKey: null,
      expiresInHours,
      target: { setIds },
    });
  return expired.length;
}

/**
 * Backup sets completed before then, tenant by tenant, archived tenants included, the oldest first. What an open
 * run relies on stays for now, and so does the newest complete backup of a tenant that is not archived, however
 * old: to have one is what backups are for. A tenant whose expired sets are being deleted is left out.
 */
export function listExpiredBackups(reader: Reader, before: Date): Promise<ExpiredBackups[]> {
  return reader.query<ExpiredBackups>(
    `select x.workspace_id as "workspaceId", x.tenant_id as "tenantId", array_agg(x.id order by x.id) as "setIds"
     from (
       select b.id, b.workspace_id, b.tenant_id
       from backup_sets b
       join backup_set_details d on d.set_id = b.id
       join tenants t on t.id = b.tenant_id
       where d.completed_at < $1
         and not exists (
           select 1 from operation_runs r
           where r.tenant_id = b.tenant_id and r.status <> 'completed' and r.trigger = 'retention')
         and not exists (
           select 1 from operation_runs r where r.backup_set_id = b.id and r.status <> 'completed')
         and (t.lifecycle = 'archived' or d.kind <> 'backup' or exists (
           select 1 from backup_sets younger join backup_set_details e on e.set_id = younger.id
           where younger.tenant_id = b.tenant_id and younger.id > b.id and e.kind = 'backup'
             and e.completed_at is not null))
       order by d.completed_at, d.set_id limit $2) x
     group by x.workspace_id, x.tenant_id order by 3`,
    [before, most],
  );
}
