import type { PolicyType } from "../../provider/policyTypes.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

/** Which policies of the inventory; what is null does not narrow. */
export type InventoryFilters = {
  tenantId: string | null;
  type: PolicyType | null;
  /** Part of a name. */
  text: string | null;
  /** Only these, when given. */
  ids?: readonly string[];
};

/** Which of the items `i` of the tenants `t` are there and match. Parameters 1 to 5. */
export const inInventory = `t.workspace_id = $1 and t.id = any (coalesce($2::uuid[], array[t.id]))
  and i.gone_since is null and ($3::text is null or i.type = $3)
  and ($4::text is null or strpos(lower(i.name), lower($4)) > 0) and ($5::uuid[] is null or i.id = any ($5))`;

/** Only tenants at which the viewer may see the inventory. */
export function inventoryValues(viewer: Viewer, filters: InventoryFilters): unknown[] {
  const { tenantId, type, text, ids } = filters;
  const scope = tenantIdsOrNull(tenantScope(viewer, "inventory.view"));
  const tenantIds = tenantId === null ? scope : (scope ?? [tenantId]).filter((id) => id === tenantId);
  return [viewer.workspace?.id ?? null, tenantIds, type, text, ids ?? null];
}
