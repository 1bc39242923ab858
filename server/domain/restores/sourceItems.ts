import type { Reader } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { ReferredNames } from "../backups/references.ts";
import type { SourceItem } from "./planItem.ts";

/** An item that is to be restored, in its place; without what it holds. */
export type Chosen = { position: number; id: string; type: PolicyType; name: string; matchKey: string };

/** What a preview was asked for: all items of the types, or some of them. */
export type Choice = { setId: string; types: readonly PolicyType[]; itemIds: readonly string[] | null };

/** More than one restore should change; their places and names are held in memory. */
export const mostItems = 20_000;

/** The chosen items in the order in which they are restored: what others refer to comes first. */
export function listChosen(reader: Reader, { setId, types, itemIds }: Choice): Promise<Chosen[]> {
  return reader.query<Chosen>(
    `select (row_number() over (order by array_position($4::text[], type), lower(name), id))::integer
         as position, id, type, name, match_key as "matchKey"
     from backup_items
     where set_id = $1 and type = any ($2::text[]) and ($3::uuid[] is null or id = any ($3))
     order by position`,
    [setId, types, itemIds, policyTypes],
  );
}

/** What the backup holds of some of them, by id. */
export async function readSourceItems(
  reader: Reader,
  setId: string,
  ids: readonly string[],
): Promise<Map<string, SourceItem>> {
  const rows = await reader.query<Omit<SourceItem, "names"> & { id: string; refers: Partial<ReferredNames> }>(
    `select id, type, normalised, assignments, not_captured as "notCaptured", refers
     from backup_items where set_id = $1 and id = any ($2::uuid[])`,
    [setId, ids],
  );
  return new Map(
    rows.map(({ id, refers, ...item }) => [
      id,
      { ...item, names: { groups: {}, filters: {}, scopeTags: {}, ...refers } },
    ]),
  );
}

/** Whose backup it is; undefined when it is gone. */
export async function findSourceTenant(reader: Reader, setId: string): Promise<string | undefined> {
  const [set] = await reader.query<{ tenantId: string }>(
    `select tenant_id as "tenantId" from backup_sets where id = $1`,
    [setId],
  );
  return set?.tenantId;
}

/** What the tenant is called; its id when it has no name. */
export async function readTenantName(reader: Reader, tenantId: string): Promise<string> {
  const [profile] = await reader.query<{ name: string }>(
    "select name from tenant_profiles where tenant_id = $1",
    [tenantId],
  );
  return profile?.name ?? tenantId;
}
