import { v7 as uuidv7 } from "uuid";
import type { Db } from "../../server/db/database.ts";
import type { PolicyOperation } from "../../server/domain/bulk/selections.ts";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import type { TestTenant, TestUser } from "./factories.ts";

/** A policy as a sync would have recorded it. */
export async function createPolicy(
  db: Db,
  given: { tenant: { id: string }; name?: string; type?: PolicyType; goneSince?: Date },
): Promise<{ id: string }> {
  const id = uuidv7();
  const { tenant, name = "Edge policy", type = "deviceConfigurations", goneSince = null } = given;
  await db.query(
    `insert into inventory_items (id, tenant_id, type, provider_id, name, odata_type, payload, hash, match_key,
       normalised, normalised_hash, first_seen_at, first_seen_run_id, changed_at, changed_run_id, last_seen_at,
       last_seen_run_id, last_seen_token, gone_since, gone_run_id)
     values ($1::uuid, $2, $3, $1::uuid::text, $4::text, '#microsoft.graph.test', jsonb_build_object('displayName', $4::text),
       'hash', $4::text, '{}', 'hash', now(), $1, now(), $1, now(), $1, 1, $5::timestamptz,
       case when $5::timestamptz is not null then $1::uuid end)`,
    [id, tenant.id, type, name, goneSince],
  );
  return { id };
}

/** A frozen selection of one policy. */
export async function createSelection(
  db: Db,
  given: { tenant: TestTenant; by: TestUser; operation?: PolicyOperation },
): Promise<{ policy: string; selection: string }> {
  const { tenant, by, operation = "policies.bulk_delete" } = given;
  const { id: policy } = await createPolicy(db, { tenant });
  const selection = uuidv7();
  await db.query(
    `insert into bulk_selections (id, workspace_id, tenant_id, operation, items, left_out, digest, created_by)
     values ($1, $2, $3, $4, 1, 0, 'digest', $5)`,
    [selection, tenant.workspaceId, tenant.id, operation, by.id],
  );
  await db.query(
    `insert into bulk_items (selection_id, position, inventory_item_id, type, provider_id, name, match_key,
       expected_hash)
     values ($1, 1, $2::uuid, 'deviceConfigurations', $2::uuid::text, 'Edge policy', 'Edge policy', 'hash')`,
    [selection, policy],
  );
  return { policy, selection };
}
