import { v7 as uuidv7 } from "uuid";
import type { Db } from "../../server/db/database.ts";
import { digestOfAssignments } from "../../server/domain/backups/assignment.ts";
import { digestOfJson } from "../../server/domain/digest.ts";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import type { JsonObject } from "../../server/provider/port.ts";
import type { TestTenant } from "./factories.ts";

export type GivenItem = {
  name: string;
  type?: PolicyType;
  payload?: JsonObject;
  assignments?: JsonObject[];
  notCaptured?: string[];
  refers?: JsonObject;
};

export type GivenSet = {
  /** That of the run that takes it. */
  id?: string;
  tenant: TestTenant;
  kind?: "backup" | "snapshot";
  types?: PolicyType[];
  items?: GivenItem[];
  skipped?: { type: string; why: string }[];
  isComplete?: boolean;
  by?: string | null;
};

const type = "deviceConfigurations";

/** A backup set as a run would leave it, without the run. `items` in the order given. */
export async function createSet(db: Db, given: GivenSet): Promise<{ id: string; items: string[] }> {
  const { tenant, kind = "backup", types = [type], items = [], skipped = [], isComplete = true } = given;
  const { id = uuidv7() } = given;
  const rows = items.map((item, index) => toRow(item, index));
  await db.transaction(async (tx) => {
    await tx.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
      id,
      tenant.workspaceId,
      tenant.id,
    ]);
    await tx.query(
      `insert into backup_set_details (set_id, kind, tenant_name, initiator_name, types, items, skipped, completed_at)
       values ($1, $2, $3, $4, $5, $6, $7, case when $8 then clock_timestamp() end)`,
      [
        id,
        kind,
        tenant.name,
        given.by ?? "Olivia Brandt",
        types,
        items.length,
        JSON.stringify(skipped),
        isComplete,
      ],
    );
    await tx.query(
      `insert into backup_items (id, set_id, tenant_id, type, provider_id, name, match_key, odata_type, payload,
         normalised, hash, assignments, assignments_hash, refers, not_captured, taken_token)
       select i.id, $1, $2, i.type, i.id::text, i.name, lower(i.name), '', i.payload, i.payload, i.hash,
         nullif(i.assignments, 'null'), i.assignments_hash, i.refers, i.not_captured, 1
       from jsonb_to_recordset($3::jsonb) as i (id uuid, type text, name text, payload jsonb, hash text,
         assignments jsonb, assignments_hash text, refers jsonb, not_captured text[])`,
      [id, tenant.id, JSON.stringify(rows)],
    );
  });
  return { id, items: rows.map((row) => row.id) };
}

function toRow(item: GivenItem, index: number) {
  const { name, payload = { displayName: name, number: index }, assignments = null } = item;
  return {
    id: uuidv7(),
    type: item.type ?? type,
    name,
    payload,
    hash: digestOfJson(payload),
    assignments,
    assignments_hash: digestOfAssignments(assignments),
    refers: item.refers ?? {},
    not_captured: item.notCaptured ?? [],
  };
}

/** A complete set as if it had been taken of another tenant; returns its id. */
export async function copySet(db: Db, setId: string, tenant: TestTenant): Promise<string> {
  const id = uuidv7();
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into backup_sets select (jsonb_populate_record(s, $2)).* from backup_sets s where id = $1`,
      [setId, JSON.stringify({ id, tenant_id: tenant.id })],
    );
    await tx.query(
      `insert into backup_set_details
       select (jsonb_populate_record(d, $2)).* from backup_set_details d where set_id = $1`,
      [setId, JSON.stringify({ set_id: id, tenant_name: tenant.name })],
    );
    await tx.query(
      `insert into backup_items
       select (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid()) || $2)).*
       from backup_items i where set_id = $1`,
      [setId, JSON.stringify({ set_id: id, tenant_id: tenant.id })],
    );
  });
  return id;
}

export type GivenPlanItem = {
  name: string;
  action?: "create" | "update" | "unchanged" | "refused";
  reason?: string | null;
  diff?: JsonObject[];
  notes?: string[];
};

/** A finished preview of restoring a set, as the run that made it would leave it, without that run. */
export async function createPlan(
  db: Db,
  given: { set: { id: string }; source: TestTenant; target?: TestTenant; items?: GivenPlanItem[] },
): Promise<{ id: string; digest: string }> {
  const { set, source, target = source, items = [{ name: "One" }] } = given;
  const [id, digest] = [uuidv7(), "digest"];
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into restore_plans (id, workspace_id, tenant_id, source_set_id, source_tenant_id, options)
       values ($1, $2, $3, $4, $5, $6)`,
      [id, target.workspaceId, target.id, set.id, source.id, JSON.stringify(options)],
    );
    await tx.query(
      `insert into restore_items (plan_id, position, backup_item_id, type, name, match_key, action, reason, diff,
         notes)
       select $1, i.position, gen_random_uuid(), $3, i.name, i.name, i.action, i.reason, i.diff, i.notes
       from jsonb_to_recordset($2::jsonb) as i (position integer, name text, action text, reason text, diff jsonb,
         notes text[])`,
      [
        id,
        JSON.stringify(
          items.map((item, index) => ({
            position: index + 1,
            name: item.name,
            action: item.action ?? "create",
            reason: item.reason ?? null,
            diff: item.diff ?? [],
            notes: item.notes ?? [],
          })),
        ),
        type,
      ],
    );
    await tx.query(
      "update restore_plans set digest = $2, completed_at = clock_timestamp(), items = $3 where id = $1",
      [id, digest, items.length],
    );
  });
  return { id, digest };
}

const options = {
  conditionalAccessState: "report_only",
  updatedConditionalAccessState: "keep",
  assignments: "union",
};
