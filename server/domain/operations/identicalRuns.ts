import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import type { Viewer } from "../authority/viewer.ts";
import type { FrozenRun, RunRequest } from "./freezeRequest.ts";
import { type RequestOutcome, requestOr } from "./requestRun.ts";
import { inRunScope, runScopeOf, scopeValues } from "./runScope.ts";

/** The same is waiting or under way already; nothing was stored. */
export type Identical = { kind: "identical"; runId: string };

/**
 * Requests a run as `requestRun` does, unless one that does exactly the same (operation, tenant, connection and
 * target) is open and the viewer may see it: then that one is offered. Of two such requests at once, the second
 * is offered the first's.
 */
export async function requestUnlessIdentical(
  db: Db,
  request: RunRequest,
  viewer: Viewer,
): Promise<RequestOutcome | Identical> {
  return retrying(() =>
    db.transaction(
      (tx) => requestOr(tx, request, (run) => findIdentical(tx, run, request, viewer)),
      workerBounds,
    ),
  );
}

async function findIdentical(
  tx: Tx,
  { targetDigest }: FrozenRun,
  { requestKey }: RunRequest,
  viewer: Viewer,
): Promise<Identical | undefined> {
  // Two at once would both find nothing; this key is no authority key and is taken after those.
  await tx.query("select pg_advisory_xact_lock(hashtextextended('request:' || $1, 0))", [targetDigest]);
  // One with the same key is this very request, sent twice: storing finds it.
  const [found] = await tx.query<{ id: string }>(
    `select r.id from operation_runs r
     where r.target_digest = $4 and r.status <> 'completed' and r.cancel_requested_at is null
       and ($5::uuid is null or r.request_key is distinct from $5) and ${inRunScope}
     order by r.id limit 1`,
    [...scopeValues(runScopeOf(viewer)), targetDigest, requestKey],
  );
  return found === undefined ? undefined : { kind: "identical", runId: found.id };
}
