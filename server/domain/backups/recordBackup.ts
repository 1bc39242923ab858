import { v7 as uuidv7 } from "uuid";
import type { Tx } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ProviderPolicy } from "../../provider/port.ts";
import { digestOfJson } from "../digest.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import { digestOfAssignments } from "./assignment.ts";
import type { Skipped } from "./backupSets.ts";
import { namesFor, type ReferredNames, referencesOf } from "./references.ts";

/** The run that takes a backup, whose id is the set's, and which of its attempts. */
export type Taking = { runId: string; fencingToken: string; tenantId: string };

/** The set as it is begun: nothing is in it, or what an earlier attempt of the run left. */
export async function beginBackup(
  tx: Tx,
  { runId, tenantId }: Taking,
  kind: "backup" | "snapshot",
  types: readonly PolicyType[],
): Promise<EffectSummary> {
  await tx.query(
    `with added as (
       insert into backup_sets (id, workspace_id, tenant_id)
       select r.id, r.workspace_id, r.tenant_id from operation_runs r where r.id = $1 and r.tenant_id = $2
       on conflict (id) do nothing returning id)
     insert into backup_set_details (set_id, kind, tenant_name, initiator_name, types)
     select r.id, $3, coalesce(r.tenant_name, ''), r.initiator_name, $4::text[]
     from operation_runs r join added on added.id = r.id`,
    [runId, tenantId, kind, types],
  );
  return nothing;
}

/** Writes policies into the set as the provider gave them; what an earlier attempt wrote is written over. */
export async function recordBackupPage(
  tx: Tx,
  taking: Taking,
  type: PolicyType,
  policies: readonly ProviderPolicy[],
  names: ReferredNames,
): Promise<EffectSummary> {
  const rows = await tx.query(
    `insert into backup_items as i (id, set_id, tenant_id, type, provider_id, name, match_key, odata_type,
       payload, normalised, hash, assignments, assignments_hash, refers, not_captured, taken_token)
     select distinct on (p.provider_id) p.id, $1, $2, $3, p.provider_id, p.name, p.match_key, p.odata_type,
       p.payload, p.normalised, p.hash, nullif(p.assignments, 'null'), p.assignments_hash, p.refers,
       p.not_captured, $4
     from jsonb_to_recordset($5::jsonb) as p (id uuid, provider_id text, name text, match_key text,
       odata_type text, payload jsonb, normalised jsonb, hash text, assignments jsonb, assignments_hash text,
       refers jsonb, not_captured text[])
     order by p.provider_id
     on conflict (set_id, type, provider_id) do update set name = excluded.name,
       match_key = excluded.match_key, odata_type = excluded.odata_type, payload = excluded.payload,
       normalised = excluded.normalised, hash = excluded.hash, assignments = excluded.assignments,
       assignments_hash = excluded.assignments_hash, refers = excluded.refers,
       not_captured = excluded.not_captured, taken_token = excluded.taken_token
     returning i.id`,
    [
      taking.runId,
      taking.tenantId,
      type,
      taking.fencingToken,
      JSON.stringify(policies.map((policy) => toRow(policy, names))),
    ],
  );
  return { items: rows.length, counts: { backed_up: rows.length } };
}

/** Closes the set: what only earlier attempts found is taken out, and what could not be read is said. */
export async function completeBackup(
  tx: Tx,
  { runId, fencingToken }: Taking,
  skipped: readonly Skipped[],
): Promise<EffectSummary> {
  await tx.query("delete from backup_items where set_id = $1 and taken_token <> $2", [runId, fencingToken]);
  await tx.query(
    `update backup_set_details set completed_at = clock_timestamp(), skipped = $2,
       items = (select count(*) from backup_items where set_id = $1)
     where set_id = $1`,
    [runId, JSON.stringify(skipped)],
  );
  return nothing;
}

const nothing: EffectSummary = { items: 0, counts: {} };

function toRow(policy: ProviderPolicy, names: ReferredNames) {
  const { id, name, matchKey, odataType, payload, normalised, assignments, notCaptured } = policy;
  return {
    id: uuidv7(),
    provider_id: id,
    name,
    match_key: matchKey,
    odata_type: odataType,
    payload,
    normalised,
    hash: digestOfJson(normalised),
    assignments,
    assignments_hash: digestOfAssignments(assignments),
    refers: namesFor(referencesOf(normalised, assignments), names),
    not_captured: notCaptured,
  };
}
