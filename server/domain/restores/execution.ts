import type { Reader } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { ProviderPolicy } from "../../provider/port.ts";
import type { RestoreOptions } from "./options.ts";
import { type PlanRow, planRowColumns } from "./planRow.ts";

export type PlanToCarryOut = {
  id: string;
  sourceSetId: string;
  options: RestoreOptions;
  items: number;
  /** How many of them nothing is written for. */
  unwritten: number;
  /** Those of the items that are to be written. */
  types: PolicyType[];
};

/** A plan as the run that carries it out needs it. Throws when it is gone: the gate lets no such run begin. */
export async function getPlanToCarryOut(reader: Reader, planId: string): Promise<PlanToCarryOut> {
  const [plan] = await reader.query<PlanToCarryOut>(
    `select p.id, p.source_set_id as "sourceSetId", p.options, p.items, w.unwritten, w.types from restore_plans p
     cross join lateral (
       select (count(*) filter (where action in ('unchanged', 'refused')))::integer as unwritten,
         coalesce(array_agg(distinct type) filter (where action in ('create', 'update')), '{}') as types
       from restore_items where plan_id = p.id) w
     where p.id = $1`,
    [planId],
  );
  if (plan === undefined) throw new Error(`There is no plan ${planId}.`);
  return { ...plan, types: policyTypes.filter((type) => plan.types.includes(type)) };
}

/** What an item that is to be written expects to find at the target. */
export type Expectation = Pick<
  PlanRow,
  "position" | "type" | "name" | "matchKey" | "action" | "providerId" | "expectedHash"
>;

export function listExpectations(reader: Reader, planId: string, type: PolicyType): Promise<Expectation[]> {
  return reader.query<Expectation>(
    `select position, type, name, match_key as "matchKey", action, provider_id as "providerId",
       expected_hash as "expectedHash"
     from restore_items where plan_id = $1 and type = $2 and action in ('create', 'update')
     order by position`,
    [planId, type],
  );
}

const rowsPerRead = 10;

/**
 * The next items to be written, in order, a few at a time: a plan may be larger than memory. One that failed is
 * not tried again by an attempt that resumes.
 */
export function listRowsToWrite(reader: Reader, planId: string, after: number): Promise<PlanRow[]> {
  return reader.query<PlanRow>(
    `select ${planRowColumns} from restore_items i
     where i.plan_id = $1 and i.position > $2 and i.action in ('create', 'update')
       and i.result is distinct from 'failed'
     order by i.position limit $3`,
    [planId, after, rowsPerRead],
  );
}

/** All rows, written or not, to see that they are what was confirmed. */
export function listPlanRows(reader: Reader, planId: string, after: number): Promise<PlanRow[]> {
  return reader.query<PlanRow>(
    `select ${planRowColumns} from restore_items i where i.plan_id = $1 and i.position > $2
     order by i.position limit $3`,
    [planId, after, rowsPerRead],
  );
}

/**
 * How far an earlier attempt came: the last item for which a call was intended, null when there was none. It
 * may have been left half done; those before it were brought to their end.
 */
export async function findResumePoint(reader: Reader, runId: string): Promise<number | null> {
  const [reached] = await reader.query<{ position: number | null }>(
    `select max((intent -> 'item' ->> 'position')::integer) as position from effects
     where run_id = $1 and kind = 'provider'`,
    [runId],
  );
  return reached?.position ?? null;
}

/** Whether any of these calls of a run may have been carried out: it was, it is under way, or nobody knows. */
export async function mayHaveBeenMade(
  reader: Reader,
  runId: string,
  calls: readonly string[],
): Promise<boolean> {
  const rows = await reader.query(
    "select 1 from effects where run_id = $1 and key = any ($2) and state <> 'failed' limit 1",
    [runId, calls],
  );
  return rows.length > 0;
}

/** What the run has created so far: the ids that later items may refer to. */
export function listCreated(
  reader: Reader,
  runId: string,
): Promise<{ type: PolicyType; matchKey: string; providerId: string }[]> {
  return reader.query(
    `select intent ->> 'type' as type, intent ->> 'matchKey' as "matchKey", provider_id as "providerId"
     from effects
     where run_id = $1 and kind = 'provider' and state = 'done' and intent ->> 'action' = 'create'
       and intent ->> 'type' in ('assignmentFilters', 'roleScopeTags') and provider_id is not null`,
    [runId],
  );
}

/** An object as the run found it before it wrote over it; undefined when it has not come to it. */
export async function findSnapshot(
  reader: Reader,
  runId: string,
  type: PolicyType,
  providerId: string,
): Promise<ProviderPolicy | undefined> {
  const [policy] = await reader.query<ProviderPolicy>(
    `select provider_id as id, name, odata_type as "odataType", payload, match_key as "matchKey", normalised,
       not_captured as "notCaptured", assignments
     from backup_items where set_id = $1 and type = $2 and provider_id = $3`,
    [runId, type, providerId],
  );
  return policy;
}
