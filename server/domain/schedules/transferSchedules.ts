import type { Db, Tx } from "../../db/database.ts";
import type { Capability } from "../authority/capabilities.ts";
import { inWorkspace, loadViewer, may, type Viewer } from "../authority/viewer.ts";
import { Forbidden, Invalid, NotFound } from "../errors.ts";
import { contractOf, isOperationName } from "../operations/catalog.ts";
import { authorityOf } from "../people/actAs.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import { scheduleName } from "./describeSchedule.ts";
import { getManaged, type KeptSchedule, type ScheduleRequest } from "./keptSchedule.ts";
import { listStewards } from "./listStewards.ts";
import { recordSchedule } from "./recordSchedule.ts";

/** How many schedules can be given to somebody in one go. */
const transferLimit = 200;

export type Transfer = Omit<ScheduleRequest, "scheduleId"> & {
  scheduleIds: readonly string[];
  stewardId: string;
};

/** Makes the actor the steward. Throws `Forbidden` for whoever could not have made the schedule. */
export async function takeOver(db: Db, { scheduleId, ...request }: ScheduleRequest): Promise<void> {
  await give(
    db,
    { ...request, scheduleIds: [scheduleId], stewardId: request.actor.id },
    (steward, schedule) => {
      const missing = lackedBy(steward, schedule);
      if (missing !== undefined) throw new Forbidden(missing);
    },
  );
}

/**
 * Gives schedules to one new steward, all or none. Throws `Invalid` when they could not have made one of them
 * themselves, `NotFound` or `Forbidden` when the actor may not change one of them.
 */
export async function transferSchedules(
  db: Db,
  transfer: Transfer,
): Promise<{ steward: string; moved: number }> {
  if (transfer.scheduleIds.length === 0) throw new Invalid({ schedules: "Choose at least one schedule." });
  if (transfer.scheduleIds.length > transferLimit)
    throw new Invalid({ schedules: `Choose ${transferLimit} schedules at most at a time.` });
  return give(db, transfer, (steward, schedule) => {
    const missing = lackedBy(steward, schedule);
    if (missing === undefined) return;
    const why = `${steward.user.name} needs ${missing} for “${scheduleName(schedule)}”.`;
    throw new Invalid({ steward: `${why} Nothing was transferred.` });
  });
}

async function give(
  db: Db,
  { actor, workspaceId, scheduleIds, stewardId }: Transfer,
  check: (steward: Viewer, schedule: KeptSchedule) => void,
): Promise<{ steward: string; moved: number }> {
  const ids = [...new Set(scheduleIds)];
  const { value } = await changeAuthority(
    db,
    ids.map((id) => ({ kind: "schedule" as const, id })),
    async (tx) => {
      const managed = [];
      for (const scheduleId of ids) managed.push(await getManaged(tx, { actor, workspaceId, scheduleId }));
      const schedules = managed.map(({ schedule }) => schedule);
      const steward = await getSteward(tx, managed[0]?.acting, stewardId);
      for (const schedule of schedules) check(steward, schedule);
      const moved = schedules.filter((schedule) => schedule.stewardId !== stewardId);
      await setSteward(tx, moved, steward);
      const what = actor.id === stewardId ? "taken_over" : "transferred";
      for (const schedule of moved)
        await recordSchedule(tx, actor, what, schedule, {
          before: { steward: schedule.stewardName, stewardId: schedule.stewardId },
          after: { steward: steward.user.name, stewardId },
        });
      return { steward: steward.user.name, moved: moved.length };
    },
    {
      relyingOn: [...authorityOf(actor, workspaceId), { kind: "user", id: stewardId }],
      takesNothingAway: true,
    },
  );
  return value;
}

/** Only one of those that the actor can choose from: of anybody else, an answer would tell what they may. */
async function getSteward(tx: Tx, acting: Viewer | undefined, userId: string): Promise<Viewer> {
  const workspaceId = acting?.workspace?.id;
  if (acting === undefined || workspaceId === undefined) throw new NotFound();
  const [found] = await listStewards(tx, acting, userId);
  const viewer = found === undefined ? undefined : await loadViewer(tx, found.id, workspaceId);
  const steward = viewer === undefined ? undefined : inWorkspace(viewer, workspaceId);
  if (steward === undefined) throw new NotFound();
  return steward;
}

/** What a steward needs and this person has not; undefined when they have it all. */
export function lackedBy(
  person: Viewer,
  { operation, tenantId }: Pick<KeptSchedule, "operation" | "tenantId">,
): Capability | undefined {
  if (!isOperationName(operation))
    throw new Invalid({ schedules: `This release does not have ${operation}.` });
  const needed: Capability[] = ["schedule.manage", contractOf(operation).capability];
  return needed.find((capability) => !may(person, capability, tenantId));
}

async function setSteward(tx: Tx, schedules: readonly KeptSchedule[], { user }: Viewer): Promise<void> {
  await tx.query("update schedules set steward_id = $2, steward_name = $3 where id = any ($1::uuid[])", [
    schedules.map(({ id }) => id),
    user.id,
    user.name,
  ]);
}
