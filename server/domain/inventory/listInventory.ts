import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Viewer } from "../authority/viewer.ts";
import { type InventoryFilters, inInventory, inventoryValues } from "./inventoryScope.ts";

export type ListedPolicy = {
  id: string;
  tenantId: string;
  tenantName: string;
  type: PolicyType;
  name: string;
  changedAt: Date;
  lastSeenAt: Date;
};

const policiesPerPage = 50;

/**
 * A page of the policies the viewer may see in the present workspace, by name; `after` is a policy's id. Each
 * tenant's next ones are read along its index and then merged, so that a page costs the same wherever it is.
 */
export async function listInventoryFor(
  reader: Reader,
  viewer: Viewer,
  filters: InventoryFilters,
  after: string | null,
): Promise<{ policies: ListedPolicy[]; next: string | null }> {
  const cursor = after === null ? null : await readCursor(reader, viewer, after);
  const rows = await reader.query<ListedPolicy>(
    `select found.*, p.name as "tenantName" from tenants t
     join tenant_profiles p on p.tenant_id = t.id
     cross join lateral (
       select i.id, i.tenant_id as "tenantId", i.type, i.name, i.changed_at as "changedAt",
         i.last_seen_at as "lastSeenAt"
       from inventory_items i
       where i.tenant_id = t.id and ${inInventory}
         and ($6::text is null or (lower(i.name), i.id) > ($6, $7::uuid))
       order by lower(i.name), i.id limit $8
     ) found
     where t.workspace_id = $1 and t.id = any (coalesce($2::uuid[], array[t.id]))
     order by lower(found.name), found.id limit $8`,
    [...inventoryValues(viewer, filters), cursor, after, policiesPerPage + 1],
  );
  const policies = rows.slice(0, policiesPerPage);
  return { policies, next: rows.length > policiesPerPage ? (policies.at(-1)?.id ?? null) : null };
}

/** Where in the order a policy stands; at its beginning for one that the viewer may not see or that is not there. */
async function readCursor(reader: Reader, viewer: Viewer, policyId: string): Promise<string> {
  const [workspaceId, tenantIds] = inventoryValues(viewer, { tenantId: null, type: null, text: null });
  const [row] = await reader.query<{ name: string }>(
    `select lower(i.name) as name from inventory_items i join tenants t on t.id = i.tenant_id
     where i.id = $3 and t.workspace_id = $1 and ($2::uuid[] is null or t.id = any ($2))`,
    [workspaceId, tenantIds, policyId],
  );
  return row?.name ?? "";
}

/** How many policies match, counted to `most` + 1. */
export async function countMatching(
  reader: Reader,
  viewer: Viewer,
  filters: InventoryFilters,
  most: number,
): Promise<number> {
  const [row] = await reader.query<{ n: number }>(
    `select count(*)::integer as n from (
       select 1 from inventory_items i join tenants t on t.id = i.tenant_id where ${inInventory} limit $6) x`,
    [...inventoryValues(viewer, filters), most + 1],
  );
  return row?.n ?? 0;
}

export type InventoryPolicy = ListedPolicy & {
  providerId: string;
  odataType: string;
  matchKey: string;
  hash: string;
  payload: JsonObject;
  firstSeenAt: Date;
  /** Since when a sync no longer finds it; null while it is there. */
  goneSince: Date | null;
};

/** The policy, if the viewer may see the inventory of its tenant, also when it is gone. */
export async function findPolicyFor(
  reader: Reader,
  viewer: Viewer,
  policyId: string,
): Promise<InventoryPolicy | undefined> {
  const [workspaceId, tenantIds] = inventoryValues(viewer, { tenantId: null, type: null, text: null });
  const [policy] = await reader.query<InventoryPolicy>(
    `select i.id, i.tenant_id as "tenantId", p.name as "tenantName", i.type, i.name,
       i.changed_at as "changedAt", i.last_seen_at as "lastSeenAt", i.first_seen_at as "firstSeenAt",
       i.gone_since as "goneSince", i.provider_id as "providerId", i.odata_type as "odataType",
       i.match_key as "matchKey", i.normalised_hash as hash, i.payload
     from inventory_items i join tenants t on t.id = i.tenant_id join tenant_profiles p on p.tenant_id = t.id
     where i.id = $3 and t.workspace_id = $1 and ($2::uuid[] is null or t.id = any ($2))`,
    [workspaceId, tenantIds, policyId],
  );
  return policy;
}
