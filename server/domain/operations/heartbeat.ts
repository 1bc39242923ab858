import type { Db } from "../../db/database.ts";

/**
 * A sign of life for runs under way, in one statement. Returns those that have been replaced or have
 * ended meanwhile: their work should stop.
 */
export async function beatRuns<A extends { runId: string; fencingToken: string }>(
  db: Db,
  attempts: readonly A[],
): Promise<A[]> {
  if (attempts.length === 0) return [];
  const alive = await db.query<{ id: string; token: string }>(
    `update operation_runs r set heartbeat_at = clock_timestamp()
     from jsonb_to_recordset($1::jsonb) as a (id uuid, token bigint)
     where r.id = a.id and r.fencing_token = a.token and r.status = 'running' returning r.id, r.fencing_token as token`,
    [JSON.stringify(attempts.map(({ runId, fencingToken }) => ({ id: runId, token: fencingToken })))],
  );
  const living = new Set(alive.map(({ id, token }) => `${id}:${token}`));
  return attempts.filter(({ runId, fencingToken }) => !living.has(`${runId}:${fencingToken}`));
}
