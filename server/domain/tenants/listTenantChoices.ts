import type { Reader } from "../../db/database.ts";
import type { Capability } from "../authority/capabilities.ts";
import type { Lifecycle } from "../authority/contract.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

export type TenantChoice = { id: string; name: string; lifecycle: Lifecycle };

/** The tenants of the present workspace at which the viewer holds a capability, by name; at most 500. */
export function listTenantChoices(
  reader: Reader,
  viewer: Viewer,
  capability: Capability,
): Promise<TenantChoice[]> {
  return reader.query<TenantChoice>(
    `select t.id, p.name, t.lifecycle from tenants t join tenant_profiles p on p.tenant_id = t.id
     where t.workspace_id = $1 and ($2::uuid[] is null or t.id = any ($2))
     order by lower(p.name), t.id limit 500`,
    [viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, capability))],
  );
}
