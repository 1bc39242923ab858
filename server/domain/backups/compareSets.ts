import { z } from "zod";
import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";

/** What a set is compared with: another set, or what the last syncs found at a tenant. */
export type Other = { setId: string } | { inventoryOf: string };

/** `added`: only in the other; `removed`: only in the set. */
export const comparisons = ["added", "removed", "changed", "unchanged"] as const;
export type Comparison = (typeof comparisons)[number];

export type ComparedItem = {
  type: PolicyType;
  matchKey: string;
  name: string;
  comparison: Comparison;
  /** Only told between two sets of one tenant: elsewhere the same group has another id. */
  assignmentsChanged: boolean;
  leftId: string | null;
  rightId: string | null;
};

export type ComparedFilters = { comparison: Comparison | null; type: PolicyType | null };

const itemsPerPage = 50;

/** How many policies differ, of the types that both sides hold. Policies are paired by type and match key. */
export async function countCompared(
  reader: Reader,
  setId: string,
  other: Other,
): Promise<Record<Comparison, number>> {
  const rows = await reader.query<{ comparison: Comparison; n: number }>(
    `with ${comparedWith(other)} select comparison, count(*)::integer as n from compared group by comparison`,
    [setId, idOf(other)],
  );
  const counts: Record<Comparison, number> = { added: 0, removed: 0, changed: 0, unchanged: 0 };
  for (const { comparison, n } of rows) counts[comparison] = n;
  return counts;
}

/** A page of the compared policies by type and name; `after` is the `next` of the page before. */
export async function listCompared(
  reader: Reader,
  setId: string,
  other: Other,
  { comparison, type }: ComparedFilters,
  after: string | null,
): Promise<{ items: ComparedItem[]; next: string | null }> {
  const rows = await reader.query<ComparedItem & Place>(
    `with ${comparedWith(other)} select * from compared
     where ($3::text is null or comparison = $3) and ($4::text is null or type = $4)
       and ($5::text is null or (type, sort, "matchKey", n) > ($5, $6, $7, $8::bigint))
     order by type, sort, "matchKey", n limit $9`,
    [setId, idOf(other), comparison, type, ...placeAfter(after), itemsPerPage + 1],
  );
  const page = rows.slice(0, itemsPerPage);
  const last = rows.length > itemsPerPage ? page.at(-1) : undefined;
  const items = page.map(({ sort: _sort, n: _n, ...item }) => item);
  return { items, next: last === undefined ? null : cursorOf(last) };
}

type Place = { type: PolicyType; sort: string; matchKey: string; n: string };

const placeShape = z.tuple([z.string(), z.string(), z.string(), z.string().regex(/^\d{1,9}$/)]);

function cursorOf({ type, sort, matchKey, n }: Place): string {
  return Buffer.from(JSON.stringify([type, sort, matchKey, n])).toString("base64url");
}

/** A cursor that nobody was given leads to the first page. */
function placeAfter(cursor: string | null): (string | null)[] {
  try {
    const place = placeShape.safeParse(JSON.parse(Buffer.from(cursor ?? "", "base64url").toString()));
    return place.data ?? [null, null, null, null];
  } catch {
    return [null, null, null, null];
  }
}

function idOf(other: Other): string {
  return "setId" in other ? other.setId : other.inventoryOf;
}

const nth = "row_number() over (partition by type, match_key order by provider_id) as n";

function comparedWith(other: Other): string {
  const isSet = "setId" in other;
  const right = isSet
    ? `select id, tenant_id, type, match_key, name, hash, assignments_hash, ${nth}
       from backup_items where set_id = $2 and type in (select type from both_hold)`
    : `select id, tenant_id, type, match_key, name, normalised_hash as hash, null as assignments_hash, ${nth}
       from inventory_items
       where tenant_id = $2 and gone_since is null and type in (select type from both_hold)`;
  return `both_hold as ((${typesOf("$1")}) intersect
      (${isSet ? typesOf("$2") : "select type from inventory_items where tenant_id = $2"})),
    l as (select id, tenant_id, type, match_key, name, hash, assignments_hash, ${nth}
      from backup_items where set_id = $1 and type in (select type from both_hold)),
    r as (${right}),
    compared as (
      select type, match_key as "matchKey", coalesce(l.name, r.name) as name, n,
        lower(coalesce(l.name, r.name)) as sort, l.id as "leftId", r.id as "rightId", c.*,
        case when l.id is null then 'added' when r.id is null then 'removed'
          when l.hash <> r.hash or c."assignmentsChanged" then 'changed' else 'unchanged' end as comparison
      from l full join r using (type, match_key, n)
      cross join lateral (select coalesce(l.tenant_id = r.tenant_id
        and ${isSet} and l.assignments_hash is distinct from r.assignments_hash, false)
        as "assignmentsChanged") c)`;
}

/** Those a set was to hold and could read. */
function typesOf(setId: string): string {
  return `select unnest(types) as type from backup_set_details where set_id = ${setId}
    except select s ->> 'type' from backup_set_details, jsonb_array_elements(skipped) s where set_id = ${setId}`;
}
