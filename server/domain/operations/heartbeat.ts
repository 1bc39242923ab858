import type { Db } from "../../db/database.ts";

/**
 * A sign of life for runs under way, in one statement. Returns the ids of those whose attempt has been
 * replaced or ended meanwhile: their work should stop.
 */
export async function beatRuns(
  db: Db,
  attempts: readonly { runId: string; fencingToken: string }[],
): Promise<string[]> {
  if (attempts.length === 0) return [];
  const alive = await db.query<{ id: string }>(
    `update operation_runs r set heartbeat_at = clock_timestamp()
     from jsonb_to_recordset($1::jsonb) as a (id uuid, token bigint)
     where r.id = a.id and r.fencing_token = a.token and r.status = 'running' returning r.id`,
    [JSON.stringify(attempts.map(({ runId, fencingToken }) => ({ id: runId, token: fencingToken })))],
  );
  const living = new Set(alive.map((row) => row.id));
  return attempts.map(({ runId }) => runId).filter((id) => !living.has(id));
}
