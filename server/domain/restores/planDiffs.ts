import type { Reader } from "../../db/database.ts";
import type { FieldChange } from "../backups/fieldDiff.ts";

/** The first field changes of some items of a plan, by position; items without any are left out. */
export async function listPlanDiffs(
  reader: Reader,
  planId: string,
  positions: readonly number[],
  most: number,
): Promise<Map<number, FieldChange[]>> {
  const rows = await reader.query<{ position: number; diff: FieldChange[] }>(
    `select i.position, jsonb_agg(c.change order by c.n) as diff
     from restore_items i
     cross join lateral jsonb_array_elements(i.diff) with ordinality as c (change, n)
     where i.plan_id = $1 and i.position = any ($2::integer[]) and c.n <= $3
     group by i.position`,
    [planId, positions, most],
  );
  return new Map(rows.map(({ position, diff }) => [position, diff]));
}
