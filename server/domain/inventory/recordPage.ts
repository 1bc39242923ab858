import { v7 as uuidv7 } from "uuid";
import type { Tx } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ProviderPolicy } from "../../provider/port.ts";
import { digestOfJson } from "../digest.ts";
import type { EffectSummary } from "../operations/runEffect.ts";

/** Which listing the items come from: a run's attempt, at one tenant. */
export type Listing = { runId: string; fencingToken: string; tenantId: string; type: PolicyType };

/**
 * Writes policies as the provider gave them into the inventory: new ones, changed ones, and those only seen
 * again. `created` and `changed` count what this run found so, also when an earlier attempt of it wrote them.
 */
export async function recordPage(
  tx: Tx,
  listing: Listing,
  policies: readonly ProviderPolicy[],
): Promise<EffectSummary> {
  const [counts] = await tx.query<{ created: number; changed: number; unchanged: number }>(
    `with seen as (
       select distinct on (p.provider_id) p.*,
         encode(sha256(convert_to(p.payload::text, 'UTF8')), 'hex') as hash
       from jsonb_to_recordset($5::jsonb)
         as p (id uuid, provider_id text, name text, odata_type text, payload jsonb, match_key text,
           normalised jsonb, normalised_hash text)
       order by p.provider_id
     ), written as (
       insert into inventory_items as i (id, tenant_id, type, provider_id, name, odata_type, payload, hash,
         match_key, normalised, normalised_hash, first_seen_at, first_seen_run_id, changed_at, changed_run_id, last_seen_at, last_seen_run_id,
         last_seen_token)
       select id, $1, $2, provider_id, name, odata_type, payload, hash, match_key, normalised,
         normalised_hash, clock_timestamp(), $3, clock_timestamp(), $3, clock_timestamp(), $3, $4
       from seen
       on conflict (tenant_id, type, provider_id) do update set
         name = excluded.name, odata_type = excluded.odata_type, payload = excluded.payload,
         hash = excluded.hash, match_key = excluded.match_key, normalised = excluded.normalised,
         normalised_hash = excluded.normalised_hash,
         changed_at = case when i.hash <> excluded.hash or i.gone_since is not null
           then excluded.changed_at else i.changed_at end,
         changed_run_id = case when i.hash <> excluded.hash or i.gone_since is not null
           then excluded.changed_run_id else i.changed_run_id end,
         last_seen_at = excluded.last_seen_at, last_seen_run_id = excluded.last_seen_run_id,
         last_seen_token = excluded.last_seen_token, gone_since = null, gone_run_id = null
       returning i.first_seen_run_id, i.changed_run_id
     )
     select (count(*) filter (where first_seen_run_id = $3))::integer as created,
       (count(*) filter (where first_seen_run_id <> $3 and changed_run_id = $3))::integer as changed,
       (count(*) filter (where first_seen_run_id <> $3 and changed_run_id <> $3))::integer as unchanged
     from written`,
    [
      listing.tenantId,
      listing.type,
      listing.runId,
      listing.fencingToken,
      JSON.stringify(
        policies.map(({ id, name, odataType, payload, matchKey, normalised }) => ({
          id: uuidv7(),
          provider_id: id,
          name,
          odata_type: odataType,
          payload,
          match_key: matchKey,
          normalised,
          normalised_hash: digestOfJson(normalised),
        })),
      ),
    ],
  );
  const { created, changed, unchanged } = counts ?? { created: 0, changed: 0, unchanged: 0 };
  return { items: created + changed + unchanged, counts: { created, changed, unchanged } };
}

/**
 * Marks what a complete listing of one type did not show as gone; nothing is deleted. Only the attempt that
 * listed the type to its end may say so. What another listing has seen since this attempt began is not gone.
 */
export async function markUnseenAsGone(tx: Tx, listing: Listing): Promise<EffectSummary> {
  await tx.query(
    `update inventory_items set gone_since = clock_timestamp(), gone_run_id = $3
     where tenant_id = $1 and type = $2 and gone_since is null
       and (last_seen_run_id, last_seen_token) is distinct from ($3::uuid, $4::bigint)
       and last_seen_at < (select max(decided_at) from execution_decisions
         where run_id = $3 and phase = 'begin' and verdict = 'allowed')`,
    [listing.tenantId, listing.type, listing.runId, listing.fencingToken],
  );
  // Those an earlier attempt of this run marked count too.
  const [marked] = await tx.query<{ gone: number }>(
    `select count(*)::integer as gone from inventory_items
     where tenant_id = $1 and type = $2 and gone_run_id = $3`,
    [listing.tenantId, listing.type, listing.runId],
  );
  return { items: 0, counts: { gone: marked?.gone ?? 0 } };
}
