import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { PlanRow } from "./planRow.ts";
import { planRowColumns } from "./planRow.ts";

export type PlanAction = PlanRow["action"];
export const planActions = ["create", "update", "unchanged", "refused"] as const satisfies PlanAction[];

/** How an item ended. `unknown`: a call for it was sent, and whether it was carried out is not known. */
export const itemResults = [
  "created",
  "updated",
  "unchanged",
  "refused",
  "failed",
  "unknown",
  "not_started",
] as const;
export type ItemResult = (typeof itemResults)[number];

export type ListedPlanItem = {
  position: number;
  type: PolicyType;
  name: string;
  action: PlanAction;
  reason: string | null;
  notes: string[];
  /** How many fields an update changes. */
  changes: number;
  /** Whether assignments are sent. */
  assigns: boolean;
  result: ItemResult;
  resultReason: string | null;
  settledAt: Date | null;
};

export type PlanItem = ListedPlanItem &
  Pick<PlanRow, "backupItemId" | "matchKey" | "providerId" | "desired" | "assignments" | "diff">;

/** `not_unchanged`: all that would be written or is refused. */
export type PlanItemFilters = { action: PlanAction | "not_unchanged" | null; result: ItemResult | null };

const itemsPerPage = 50;

/** How many items are planned to be what, and how many ended how. */
export async function planTallies(
  reader: Reader,
  planId: string,
): Promise<{ actions: Record<PlanAction, number>; results: Record<ItemResult, number> }> {
  const rows = await reader.query<{ action: PlanAction; result: ItemResult; n: number }>(
    `select i.action, ${resultOf} as result, count(*)::integer as n
     from restore_items i ${unsettled} where i.plan_id = $1 group by 1, 2`,
    [planId],
  );
  const actions = { create: 0, update: 0, unchanged: 0, refused: 0 };
  const results = { created: 0, updated: 0, unchanged: 0, refused: 0, failed: 0, unknown: 0, not_started: 0 };
  for (const { action, result, n } of rows) {
    actions[action] += n;
    results[result] += n;
  }
  return { actions, results };
}

/** A page of a plan's items in the order they are restored; `after` is a position. */
export async function listPlanItems(
  reader: Reader,
  planId: string,
  { action, result }: PlanItemFilters,
  after: number | null,
): Promise<{ items: ListedPlanItem[]; next: number | null }> {
  const rows = await reader.query<ListedPlanItem>(
    `select ${listedColumns} from restore_items i ${unsettled} ${unfinished}
     where i.plan_id = $1
       and ($2::text is null or i.action = $2 or ($2 = 'not_unchanged' and i.action <> 'unchanged'))
       and ($3::text is null or ${resultOf} = $3) and ($4::integer is null or i.position > $4)
     order by i.position limit $5`,
    [planId, action, result, after, itemsPerPage + 1],
  );
  const items = rows.slice(0, itemsPerPage);
  return { items, next: rows.length > itemsPerPage ? (items.at(-1)?.position ?? null) : null };
}

/** One item with its field changes and all that would be written. */
export async function findPlanItem(
  reader: Reader,
  planId: string,
  position: number,
): Promise<PlanItem | undefined> {
  const [item] = await reader.query<PlanItem>(
    `select ${planRowColumns}, ${listedColumns} from restore_items i ${unsettled} ${unfinished}
     where i.plan_id = $1 and i.position = $2`,
    [planId, position],
  );
  return item;
}

/** Items with a call of which it is not known whether it was carried out: few, if any. */
const unsettled = `left join (
    select distinct (e.intent -> 'item' ->> 'position')::integer as position
    from restore_plans p join effects e on e.run_id = p.run_id
    where p.id = $1 and e.kind = 'provider' and e.state = 'unknown'
  ) u on u.position = i.position`;

const callKeys = `array['item:' || i.position || ':create', 'item:' || i.position || ':update',
  'item:' || i.position || ':actions', 'item:' || i.position || ':definitions', 'item:' || i.position || ':assign']`;

/** Written in part only: the run had to stop between two calls for the item, or did not learn how one ended. */
const unfinished = `left join lateral (
    select true as "isUnfinished" from restore_plans p join operation_runs r on r.id = p.run_id
    join effects e on e.run_id = r.id and e.key = any (${callKeys}) and e.state = 'done'
    where p.id = i.plan_id and r.status = 'completed' and i.result in ('created', 'updated')
    having not bool_or((e.intent -> 'item' ->> 'last')::boolean)
  ) f on true`;

const resultOf = `coalesce(case when u.position is not null and i.result is distinct from 'failed'
    then 'unknown' end, i.result, 'not_started')`;

const listedColumns = `i.position, i.type, i.name, i.action, i.reason, i.notes,
  jsonb_array_length(i.diff) as changes, i.assignments is not null as assigns, ${resultOf} as result,
  case when f."isUnfinished" then 'Not all of it was written: the run ended before the last call for it'
    else i.result_reason end as "resultReason", i.settled_at as "settledAt"`;
