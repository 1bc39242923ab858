import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ItemFilters } from "./backupItems.ts";

/** How many of a set's items a list with these filters would show, all pages together. */
export async function countMatchingItems(
  reader: Reader,
  setId: string,
  { type, text }: ItemFilters,
): Promise<number> {
  const [counted] = await reader.query<{ n: number }>(
    `select count(*)::integer as n from backup_items i where ${matches}`,
    [setId, type, text],
  );
  return counted?.n ?? 0;
}

/** The ids of all of them, at most `most`. */
export async function listMatchingIds(
  reader: Reader,
  setId: string,
  { type, text }: ItemFilters,
  most: number,
): Promise<string[]> {
  const rows = await reader.query<{ id: string }>(
    `select id from backup_items i where ${matches} order by type, lower(name), id limit $4`,
    [setId, type, text, most],
  );
  return rows.map(({ id }) => id);
}

/** Those of the named items that are in the set. */
export function listChosenItems(
  reader: Reader,
  setId: string,
  ids: readonly string[],
): Promise<{ id: string; type: PolicyType; name: string }[]> {
  return reader.query(
    `select id, type, name from backup_items where set_id = $1 and id = any ($2::uuid[])
     order by type, lower(name), id`,
    [setId, ids],
  );
}

const matches = `i.set_id = $1 and ($2::text is null or i.type = $2)
  and ($3::text is null or strpos(lower(i.name), lower($3)) > 0)`;
