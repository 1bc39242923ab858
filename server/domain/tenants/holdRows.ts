import type { Reader, Tx } from "../../db/database.ts";

/** Where a hold stands: at one tenant, or, without one, at the whole workspace. */
export type HoldPlace = { workspaceId: string; tenantId: string | null };

export type HoldRow = { reason: string; by: string; at: Date; until: Date | null };

const columns = `reason, placed_by_name as by, placed_at as at, until`;

/** The hold that stands there now. */
export async function findHold(reader: Reader, place: HoldPlace): Promise<HoldRow | undefined> {
  const { table, id } = rowOf(place);
  const [hold] = await reader.query<HoldRow>(
    `select ${columns} from ${table.name} where ${table.key} = $1 and (until is null or until > clock_timestamp())`,
    [id],
  );
  return hold;
}

/** A hold of the tenant or of its workspace when the tenant is named; ends by itself after `forHours`. */
export async function insertHold(
  tx: Tx,
  place: HoldPlace,
  hold: { reason: string; by: { id: string; name: string }; forHours: number | null },
): Promise<HoldRow | undefined> {
  const { table, id } = rowOf(place);
  // A lapsed hold holds nothing, and must not stand in the way of a new one.
  await tx.query(`delete from ${table.name} where ${table.key} = $1 and until <= clock_timestamp()`, [id]);
  const [placed] = await tx.query<HoldRow>(
    `insert into ${table.name} (${table.key}, reason, placed_by, placed_by_name, placed_at, until)
     values ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + make_interval(hours => $5))
     on conflict (${table.key}) do nothing returning ${columns}`,
    [id, hold.reason, hold.by.id, hold.by.name, hold.forHours],
  );
  return placed;
}

export async function deleteHold(tx: Tx, place: HoldPlace): Promise<HoldRow | undefined> {
  const { table, id } = rowOf(place);
  const [held] = await tx.query<HoldRow>(
    `delete from ${table.name} where ${table.key} = $1 returning ${columns}`,
    [id],
  );
  return held;
}

/** Counts end here. */
export const heldCountLimit = 10_000;

/** How many runs there have not begun, counted to the limit. */
export async function countQueued(reader: Reader, { workspaceId, tenantId }: HoldPlace): Promise<number> {
  const [row] = await reader.query<{ count: number }>(
    `select count(*)::integer as count from (
       select 1 from operation_runs
       where workspace_id = $1 and status = 'queued' and ($2::uuid is null or tenant_id = $2)
       limit ${heldCountLimit}) as queued`,
    [workspaceId, tenantId],
  );
  return row?.count ?? 0;
}

const tables = {
  tenant: { name: "tenant_holds", key: "tenant_id" },
  workspace: { name: "workspace_holds", key: "workspace_id" },
} as const;

function rowOf({ workspaceId, tenantId }: HoldPlace) {
  return tenantId === null
    ? { table: tables.workspace, id: workspaceId }
    : { table: tables.tenant, id: tenantId };
}
