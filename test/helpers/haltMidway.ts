import type { TaskList } from "graphile-worker";
import { makeTaskList } from "../../jobs/taskList.ts";
import type { Db } from "../../server/db/database.ts";
import type { Installation } from "./installation.ts";
import { makeDoor } from "./interleaving.ts";
import type { Scene } from "./scenes.ts";
import { subjects } from "./subjects.ts";

/** What keeps a run from its next effect; `tasks` are those that it stands in the way of. */
export type Halt = { reached: Promise<void>; tasks: TaskList; end(): Promise<void> };

/** Stops a run of the scene's operation after its first effects: `wait`s there until the end, or lets it `fail`. */
export async function haltMidway(
  installation: Installation,
  scene: Scene,
  how: "wait" | "fail",
): Promise<Halt> {
  const { at } = subjects[scene.operation].midway;
  return at === null ? haltAtEffect(installation, scene, how) : haltAtProvider(installation, scene, at, how);
}

async function haltAtProvider(
  { control, sandbox, worker }: Installation,
  { contoso: { directoryId } }: Scene,
  at: { path: string; skip: number },
  how: "wait" | "fail",
): Promise<Halt> {
  const fault = how === "wait" ? ({ kind: "hold" } as const) : ({ kind: "status", status: 503 } as const);
  await control.setFaults(directoryId, [{ ...fault, ...at }]);
  let before = at.skip;
  const arrived = sandbox.requests.next((request) => {
    const isNew = request.status === null && !request.broken && request.path.includes(at.path);
    if (isNew) before -= 1;
    return before < 0;
  });
  return {
    reached: arrived.then(() => {}),
    tasks: makeTaskList(worker),
    end: () => control.clearFaults(directoryId),
  };
}

/** For what asks no provider: in front of the transaction that would have the effect, and gate it. */
async function haltAtEffect(
  { worker }: Installation,
  { operation, northwind }: Scene,
  how: "wait" | "fail",
): Promise<Halt> {
  const { db } = worker;
  const door = makeDoor();
  const { effects } = subjects[operation].midway;
  const isThere = async () => {
    const rows = await db.query(
      `select 1 from operation_runs
       where workspace_id = $1 and operation = $2 and status = 'running' and effects_done >= $3`,
      [northwind.id, operation, effects],
    );
    return rows.length > 0;
  };
  const halted: Db = {
    ...db,
    async transaction(work, bounds) {
      if (await isThere()) {
        if (how === "fail") throw new Error("Something is broken.");
        await door.wait();
      }
      return db.transaction(work, bounds);
    },
  };
  return {
    reached: door.reached,
    tasks: makeTaskList({ ...worker, db: halted }),
    end: async () => door.open(),
  };
}
