import type { Reader } from "../../db/database.ts";
import type { Viewer } from "../authority/viewer.ts";
import { NotFound } from "../errors.ts";
import { inRunScope, runScopeOf, scopeValues } from "../operations/runScope.ts";

/**
 * What is left of what an ended bulk run was asked to work on, to be shown and confirmed anew: what comes of it
 * goes by what there is now, and by the rights of who confirms.
 */
export type LeftOfRun = {
  ids: string[];
  /** How many it was asked to work on, and how many of those it need not work on any more. */
  asked: number;
  done: number;
};

/** Tenants that were not synced; all of them again, when all were. Throws `NotFound` for no such run. */
export async function leftOfSync(reader: Reader, viewer: Viewer, runId: string): Promise<LeftOfRun> {
  const found = await findLeft(
    reader,
    viewer,
    runId,
    `select x::uuid as id, exists (
       select 1 from operation_runs c
       where c.parent_run_id = r.id and c.tenant_id = x::uuid and c.outcome = 'succeeded') as "isDone"
     from jsonb_array_elements_text(r.target -> 'tenantIds') x
     where r.operation = 'tenants.bulk_sync'`,
  );
  return found.ids.length > 0 ? found : { ...found, ids: found.all };
}

/** Backups that are there still. Throws `NotFound` for no such run. */
export function leftOfBackupDeletion(reader: Reader, viewer: Viewer, runId: string): Promise<LeftOfRun> {
  return findLeft(
    reader,
    viewer,
    runId,
    `select x::uuid as id, not exists (select 1 from backup_sets b where b.id = x::uuid) as "isDone"
     from jsonb_array_elements_text(r.target -> 'setIds') x
     where r.operation = 'backups.bulk_delete'`,
  );
}

/**
 * Policies of the inventory, by their ids there, that were not brought about and are not gone. Throws `NotFound`
 * for no such run, and when its selection is gone: one that no run has begun with is kept for a day.
 */
export function leftOfPolicies(reader: Reader, viewer: Viewer, runId: string): Promise<LeftOfRun> {
  return findLeft(
    reader,
    viewer,
    runId,
    `select b.inventory_item_id as id, i.id is null or i.gone_since is not null
       or coalesce(b.result in ('assigned', 'deleted', 'unchanged'), false) as "isDone"
     from bulk_items b left join inventory_items i on i.id = b.inventory_item_id
     where b.selection_id = (r.target ->> 'selectionId')::uuid
       and r.operation in ('policies.bulk_assign', 'policies.bulk_delete')`,
  );
}

/** `selected` names what a run `r` was asked to work on, each with whether that is done. */
async function findLeft(
  reader: Reader,
  viewer: Viewer,
  runId: string,
  selected: string,
): Promise<LeftOfRun & { all: string[] }> {
  const rows = await reader.query<{ id: string; isDone: boolean }>(
    `select selected.id, selected."isDone" from operation_runs r cross join lateral (${selected}) selected
     where ${inRunScope} and r.id = $4 and r.status = 'completed'`,
    [...scopeValues(runScopeOf(viewer)), runId],
  );
  if (rows.length === 0) throw new NotFound();
  const ids = rows.filter(({ isDone }) => !isDone).map(({ id }) => id);
  return { ids, asked: rows.length, done: rows.length - ids.length, all: rows.map(({ id }) => id) };
}
