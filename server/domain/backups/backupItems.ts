import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import { targetOf } from "./assignment.ts";
import type { ReferredNames } from "./references.ts";

export type ListedBackupItem = {
  id: string;
  type: PolicyType;
  name: string;
  odataType: string;
  matchKey: string;
  /** JSON pointers of secrets that the provider keeps to itself: neither kept here nor restorable. */
  notCaptured: string[];
  /** How many assignments it has; null for a type that has none apart from itself. */
  assigned: number | null;
};

/** An assignment as given, with the names its ids had; null where there is no id or its name is not known. */
export type NamedAssignment = {
  raw: JsonObject;
  groupId: string | null;
  groupName: string | null;
  filterId: string | null;
  filterName: string | null;
};

export type BackupItem = ListedBackupItem & {
  providerId: string;
  /** Digest of the normalised form. */
  hash: string;
  payload: JsonObject;
  normalised: JsonObject;
  assignments: NamedAssignment[] | null;
};

export type ItemFilters = { type: PolicyType | null; text: string | null };

const itemsPerPage = 50;

const listedColumns = `i.id, i.type, i.name, i.odata_type as "odataType", i.match_key as "matchKey",
  i.not_captured as "notCaptured", jsonb_array_length(i.assignments) as assigned`;

const itemColumns = `${listedColumns}, i.provider_id as "providerId", i.hash, i.payload, i.normalised,
  i.assignments as given, i.refers`;

type ItemRow = Omit<BackupItem, "assignments"> & {
  given: JsonObject[] | null;
  refers: Partial<ReferredNames>;
};

/** How many items of each type a set holds. */
export function countBackupItems(
  reader: Reader,
  setId: string,
): Promise<{ type: PolicyType; items: number }[]> {
  return reader.query(
    `select type, count(*)::integer as items from backup_items where set_id = $1 group by type order by type`,
    [setId],
  );
}

/** A page of a set's items by type and name, without their payloads; `after` is an item's id. */
export async function listBackupItems(
  reader: Reader,
  setId: string,
  { type, text }: ItemFilters,
  after: string | null,
): Promise<{ items: ListedBackupItem[]; next: string | null }> {
  const rows = await reader.query<ListedBackupItem>(
    `select ${listedColumns} from backup_items i
     where i.set_id = $1 and ($2::text is null or i.type = $2)
       and ($3::text is null or strpos(lower(i.name), lower($3)) > 0) and ${isAfter("$4")}
     order by i.type, lower(i.name), i.id limit $5`,
    [setId, type, text, after, itemsPerPage + 1],
  );
  const items = rows.slice(0, itemsPerPage);
  return { items, next: rows.length > itemsPerPage ? (items.at(-1)?.id ?? null) : null };
}

/** One item of the set with all that was kept of it. */
export async function findBackupItem(
  reader: Reader,
  setId: string,
  itemId: string,
): Promise<BackupItem | undefined> {
  const [row] = await reader.query<ItemRow>(
    `select ${itemColumns} from backup_items i where i.set_id = $1 and i.id = $2`,
    [setId, itemId],
  );
  return row === undefined ? undefined : toItem(row);
}

const itemsPerRead = 25;

/** Every item of a set, a few at a time: a set may be larger than memory. */
export async function* streamBackupItems(reader: Reader, setId: string): AsyncGenerator<BackupItem> {
  let after: string | null = null;
  do {
    const rows: ItemRow[] = await reader.query<ItemRow>(
      `select ${itemColumns} from backup_items i where i.set_id = $1 and ${isAfter("$2")}
       order by i.type, lower(i.name), i.id limit $3`,
      [setId, after, itemsPerRead],
    );
    for (const row of rows) yield toItem(row);
    after = rows.length < itemsPerRead ? null : (rows.at(-1)?.id ?? null);
  } while (after !== null);
}

function isAfter(parameter: string): string {
  return `(${parameter}::uuid is null or (i.type, lower(i.name), i.id) >
    (select type, lower(name), id from backup_items where set_id = $1 and id = ${parameter}))`;
}

function toItem({ given, refers, ...item }: ItemRow): BackupItem {
  return { ...item, assignments: given?.map((raw) => named(raw, refers)) ?? null };
}

function named(raw: JsonObject, { groups, filters }: Partial<ReferredNames>): NamedAssignment {
  const { groupId, filterId } = targetOf(raw);
  return {
    raw,
    groupId,
    groupName: groupId === null ? null : (groups?.[groupId] ?? null),
    filterId,
    filterName: filterId === null ? null : (filters?.[filterId] ?? null),
  };
}
