import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";
import { digestOfJson } from "../digest.ts";

/** What is done to many policies at once. */
export type PolicyOperation = "policies.bulk_assign" | "policies.bulk_delete";

/** At most so many policies, backups or tenants at a time. */
export const mostSelected = 500;

/** Policies that somebody chose, as the inventory had them; frozen until a run works on them. */
export type Selection = {
  id: string;
  operation: PolicyOperation;
  tenantId: string;
  tenantName: string;
  items: number;
  /** How many of those chosen the operation can do nothing about. */
  leftOut: number;
  digest: string;
  createdAt: Date;
  /** The run that works on it, or did. */
  runId: string | null;
  /** The run whose selection this is what is left of, and the groups that it named. */
  rerunOf: string | null;
  include: string[];
  exclude: string[];
};

/** What a policy must still be when the run comes to it. */
export type SelectedPolicy = {
  position: number;
  inventoryItemId: string;
  type: string;
  providerId: string;
  name: string;
  matchKey: string;
  expectedHash: string;
};

/** Of what was selected, in order; the same for the same policies as they were. */
export function digestOfSelection(
  { operation, tenantId }: Pick<Selection, "operation" | "tenantId">,
  items: readonly SelectedPolicy[],
): string {
  const policies = items.map(({ position, type, providerId, expectedHash }) => ({
    ...{ position, type, providerId, expectedHash },
  }));
  return digestOfJson({ operation, tenantId, policies });
}

/** The selection, if the viewer may see the inventory of its tenant; out of scope reads as absent. */
export async function findSelectionFor(
  reader: Reader,
  viewer: Viewer,
  selectionId: string,
): Promise<Selection | undefined> {
  const [selection] = await reader.query<Selection>(
    `select s.id, s.operation, s.tenant_id as "tenantId", p.name as "tenantName", s.items,
       s.left_out as "leftOut", s.digest, s.created_at as "createdAt", s.run_id as "runId",
       s.rerun_of as "rerunOf", coalesce(r.target -> 'include', '[]') as include,
       coalesce(r.target -> 'exclude', '[]') as exclude
     from bulk_selections s join tenant_profiles p on p.tenant_id = s.tenant_id
     left join operation_runs r on r.id = s.rerun_of
     where s.id = $1 and s.workspace_id = $2 and ($3::uuid[] is null or s.tenant_id = any ($3))`,
    [selectionId, viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "inventory.view"))],
  );
  return selection;
}

/** The types of what was selected with how many there are of each. */
export function countSelected(
  reader: Reader,
  selectionId: string,
): Promise<{ type: PolicyType; items: number }[]> {
  return reader.query(
    `select type, count(*)::integer as items from bulk_items where selection_id = $1
     group by type order by type`,
    [selectionId],
  );
}

/** The first of their names. */
export async function listSelectedNames(
  reader: Reader,
  selectionId: string,
  most: number,
): Promise<string[]> {
  const rows = await reader.query<{ name: string }>(
    "select name from bulk_items where selection_id = $1 order by position limit $2",
    [selectionId, most],
  );
  return rows.map(({ name }) => name);
}
