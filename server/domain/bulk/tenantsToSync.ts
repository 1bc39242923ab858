import type { Reader } from "../../db/database.ts";
import { type Lifecycle, operableClasses } from "../authority/contract.ts";
import { may, tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";
import { Invalid } from "../errors.ts";
import { listTenantsFor, type TenantKind } from "../tenants/listTenantsFor.ts";
import { leftOfSync } from "./leftOfRun.ts";
import { mostSelected } from "./selections.ts";

/** Tenants one by one, what is left of an earlier run's, or all that a list with these filters shows. */
export type TenantsChosen =
  | { ids: readonly string[] }
  | { again: string }
  | { matching: { kind: TenantKind; search: string | null } };

export type TenantsToSync = {
  tenants: { id: string; name: string }[];
  /** Of those chosen: how many the viewer may not sync, and how many are not active. */
  notTheirs: number;
  notOperable: number;
};

type Found = { id: string; name: string; lifecycle: Lifecycle };

/** Which of the chosen tenants a sync makes sense at, by name. Throws `Invalid` (`tenants`) for too many. */
export async function listTenantsToSync(
  reader: Reader,
  viewer: Viewer,
  chosen: TenantsChosen,
): Promise<TenantsToSync> {
  const found = await listFound(reader, viewer, chosen);
  const theirs = found.filter(({ id }) => may(viewer, "inventory.sync", id));
  const tenants = theirs.filter(({ lifecycle }) => isSyncable(lifecycle));
  if (tenants.length > mostSelected)
    throw new Invalid({ tenants: `Choose at most ${mostSelected} tenants at a time.` });
  return {
    tenants: tenants.map(({ id, name }) => ({ id, name })),
    notTheirs: found.length - theirs.length,
    notOperable: theirs.length - tenants.length,
  };
}

async function listFound(reader: Reader, viewer: Viewer, chosen: TenantsChosen): Promise<Found[]> {
  if ("matching" in chosen) return listMatching(reader, viewer, chosen.matching);
  const ids = "again" in chosen ? (await leftOfSync(reader, viewer, chosen.again)).ids : chosen.ids;
  return listNamed(reader, viewer, ids);
}

function isSyncable(lifecycle: Lifecycle): boolean {
  const classes: readonly string[] = operableClasses[lifecycle];
  return classes.includes("sync");
}

function listNamed(reader: Reader, viewer: Viewer, ids: readonly string[]): Promise<Found[]> {
  return reader.query<Found>(
    `select t.id, p.name, t.lifecycle from tenants t join tenant_profiles p on p.tenant_id = t.id
     where t.workspace_id = $1 and ($2::uuid[] is null or t.id = any ($2)) and t.id = any ($3::uuid[])
     order by lower(p.name), t.id limit 1000`,
    [viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "tenant.view")), ids],
  );
}

/** Page by page as the list itself goes, so that what is synced is what it shows; no further than is refused. */
async function listMatching(
  reader: Reader,
  viewer: Viewer,
  filters: { kind: TenantKind; search: string | null },
): Promise<Found[]> {
  const found: Found[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listTenantsFor>> = await listTenantsFor(reader, viewer, {
      ...filters,
      after,
    });
    found.push(...page.tenants);
    after = page.next;
  } while (after !== null && found.length <= 2 * mostSelected);
  return found.sort((a, b) => a.name.localeCompare(b.name));
}
