import type { TaskList } from "graphile-worker";
import { type RequestOutcome, requestRun } from "../../server/domain/operations/requestRun.ts";
import type { Denial, Moment } from "./denial.ts";
import { haltMidway } from "./haltMidway.ts";
import type { Installation } from "./installation.ts";
import { follow } from "./interleaving.ts";
import { drainQueue, makeJobsDue } from "./queue.ts";
import { getRun } from "./records.ts";
import type { Scene } from "./scenes.ts";

/** How things stood when the authority was gone. */
export type Stand = {
  effectsDone: number;
  tally: Record<string, number>;
  startedAt: Date | null;
  /** Requests that the provider got, those for tokens included. */
  asked: number;
  /** A digest of all that runs write about the tenant. */
  ours: string;
};
export type Lost = { run: string; before: Stand };

/** `tasks` are others than the real ones, for controls. */
type Lose = (installation: Installation, scene: Scene, way: Denial, tasks?: TaskList) => Promise<Lost>;

export const loseAuthority: Record<Exclude<Moment, "request">, Lose> = {
  async begin(installation, scene, way, tasks) {
    const run = await request(installation, scene);
    const before = await standAfter(installation, scene, run, way);
    await drainQueue(installation.worker, tasks, 1);
    return { run, before };
  },
  async midRun(installation, scene, way, tasks) {
    const halt = await haltMidway(installation, scene, "wait");
    const run = await request(installation, scene);
    const draining = follow(drainQueue(installation.worker, tasks ?? halt.tasks, 1));
    await Promise.race([halt.reached, draining.result]);
    const before = await standAfter(installation, scene, run, way);
    await halt.end();
    await draining.result;
    return { run, before };
  },
  async retry(installation, scene, way, tasks) {
    const { db, worker } = installation;
    const halt = await haltMidway(installation, scene, "fail");
    const run = await request(installation, scene);
    await drainQueue(worker, tasks ?? halt.tasks, 1);
    await halt.end();
    const before = await standAfter(installation, scene, run, way);
    await makeJobsDue(db);
    await drainQueue(worker, tasks, 1);
    return { run, before };
  },
};

/** Asks as the page or the schedule of the scene would. */
export function tryRequest({ db }: Installation, scene: Scene, way?: Denial): Promise<RequestOutcome> {
  const { schedule } = scene;
  return requestRun(db, {
    operation: scene.operation,
    workspaceId: scene.northwind.id,
    tenantId: scene.contoso.id,
    initiator: scene.mode === "actor_bound" ? scene.omar : null,
    trigger: schedule === null ? "page" : "schedule",
    requestKey: null,
    expiresInHours: 24,
    ...scene.asking,
    ...(schedule !== null && { scheduleId: schedule }),
    ...way?.asking?.(scene),
  });
}

export async function request(installation: Installation, scene: Scene): Promise<string> {
  const outcome = await tryRequest(installation, scene);
  if (outcome.kind !== "stored" || outcome.blocked)
    throw new Error(`The request was not accepted: ${JSON.stringify(outcome)}`);
  return outcome.runId;
}

async function standAfter(
  installation: Installation,
  scene: Scene,
  run: string,
  way: Denial,
): Promise<Stand> {
  const { effectsDone, tally, startedAt } = await getRun(installation.db, run);
  const asked = await countAsked(installation, scene);
  await way.bring(installation.db, scene);
  return { effectsDone, tally, startedAt, asked, ours: await digestOfOurs(installation, scene) };
}

export async function countAsked({ control }: Installation, { contoso }: Scene): Promise<number> {
  return (await control.requests(contoso.directoryId)).length;
}

export async function digestOfOurs({ db }: Installation, { contoso, northwind }: Scene): Promise<string> {
  const [row] = await db.query<{ digest: string }>(
    `select md5(coalesce(string_agg(kept, ' ' order by kept), '')) as digest from (
       select i::text as kept from inventory_items i where tenant_id = $1
       union all select b::text from backup_items b where tenant_id = $1
       union all select d::text from backup_sets s join backup_set_details d on d.set_id = s.id where tenant_id = $1
       union all select p::text || i::text from restore_plans p join restore_items i on i.plan_id = p.id
         where tenant_id = $1
       union all select s::text || i::text from bulk_selections s join bulk_items i on i.selection_id = s.id
         where tenant_id = $1
       union all select c::text from provider_connections c where tenant_id = $1
       union all select id::text from operation_runs where workspace_id = $2 and parent_run_id is not null
     ) as all_of_it`,
    [contoso.id, northwind.id],
  );
  return row?.digest ?? "";
}
