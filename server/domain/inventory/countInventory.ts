import type { Reader } from "../../db/database.ts";

export type InventoryCount = { type: string; present: number; gone: number; lastSeenAt: Date };

/** How much of each type a tenant's inventory holds, and when a sync last saw any of it. */
export async function countInventory(reader: Reader, tenantId: string): Promise<InventoryCount[]> {
  return reader.query<InventoryCount>(
    `select type, count(*) filter (where gone_since is null)::integer as present,
       count(*) filter (where gone_since is not null)::integer as gone, max(last_seen_at) as "lastSeenAt"
     from inventory_items where tenant_id = $1 group by type order by type`,
    [tenantId],
  );
}
