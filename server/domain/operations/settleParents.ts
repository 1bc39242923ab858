import { v7 as uuidv7 } from "uuid";
import type { Tx } from "../../db/database.ts";
import { cancellationOf } from "./cancellation.ts";
import type { Ending } from "./ending.ts";
import { type ChildTally, endingOfChildren } from "./endingOfChildren.ts";
import { type Run, runColumns } from "./run.ts";

/**
 * Tells parents how their children stand, after some have ended in this transaction. Returns the parents that end
 * by it, and how. A child's row is locked before its parent's, everywhere; under the parent's lock, in a later
 * statement, of children that end beside each other the last one sees the others.
 */
export async function settleParents(
  tx: Tx,
  parentIds: readonly string[],
): Promise<{ run: Run; ending: Ending }[]> {
  if (parentIds.length === 0) return [];
  const parents = await tx.query<Run>(
    `select ${runColumns} from operation_runs where id = any ($1::uuid[]) and status = 'running'
     order by id for no key update`,
    [parentIds],
  );
  const standings = await countChildren(
    tx,
    parents.map(({ id }) => id),
  );
  const over = parents.flatMap((run) => {
    const standing = standings.get(run.id);
    if (!run.awaitsChildren || standing === undefined || standing.open > 0) return [];
    return [{ run, ending: cancellationOf(run) ?? endingOfChildren(standing.tally, standing.reasons) }];
  });
  for (const { run, ending } of over) if (ending.outcome === "blocked") await keepVerdict(tx, run, ending);
  return over;
}

type Standing = { open: number; tally: ChildTally; reasons: string[] };

/** Counted afresh each time, so that it is right whatever was counted before. */
async function countChildren(tx: Tx, parentIds: readonly string[]): Promise<Map<string, Standing>> {
  const rows = await tx.query<Standing & { id: string }>(
    `update operation_runs p
     set tally = tally_of_effects(p.id) || c.tally,
       progress_done = c.ended + coalesce((tally_of_effects(p.id) ->> 'left_out')::integer, 0)
     from unnest($1::uuid[]) as asked (id)
     cross join lateral (
       select coalesce(sum(n) filter (where outcome = 'pending'), 0)::integer as open,
         coalesce(sum(n) filter (where outcome <> 'pending'), 0)::integer as ended,
         coalesce(jsonb_object_agg(case outcome when 'succeeded' then 'synced'
           when 'partially_succeeded' then 'synced_partly' else outcome end, n)
           filter (where outcome <> 'pending'), '{}') as tally
       from (
         select outcome, count(*)::integer as n from operation_runs
         where parent_run_id = asked.id group by outcome
       ) as outcomes
     ) c
     where p.id = asked.id
     returning p.id, c.open, p.tally, (
       select coalesce(array_agg(distinct reason_code), '{}') from operation_runs
       where parent_run_id = p.id and outcome = 'blocked') as reasons`,
    [parentIds],
  );
  return new Map(rows.map(({ id, ...standing }) => [id, standing]));
}

/** The verdict on one of the children stands for all: the parent's page shows what it was blocked by. */
async function keepVerdict(
  tx: Tx,
  run: Run,
  { reasonCode }: Extract<Ending, { outcome: "blocked" }>,
): Promise<void> {
  await tx.query(
    `insert into execution_decisions (id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable,
       checks, decided_at)
     select $4, $1, $2, 'checkpoint', d.verdict, d.denial_class, d.reason_code, d.retryable,
       d.checks, d.decided_at
     from operation_runs c join execution_decisions d on d.run_id = c.id and d.reason_code = c.reason_code
     where c.parent_run_id = $1 and c.reason_code = $3 order by d.id desc limit 1`,
    [run.id, run.attempt, reasonCode, uuidv7()],
  );
}
