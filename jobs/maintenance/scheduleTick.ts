import { type Asked, askDue, type DueSchedule, listDue } from "../../server/domain/schedules/askDue.ts";
import type { WorkerDeps } from "../deps.ts";

/** How many schedules are looked up in one go, and how many are asked for at once. */
const pageSize = 100;
const atOnce = 4;

export type TickOptions = {
  /** The moment that counts as now; the database's own unless a test says otherwise. */
  now?: Date;
  expiresInHours: number;
  signal?: AbortSignal;
};

export type Ticked = Record<Asked | "failed", number>;

/**
 * Asks for the runs of all schedules whose time has come. Any worker may do it at any time, several at once:
 * each schedule is asked for once. It touches no tenant: what it asks for is gated like anything else. One that
 * fails is left for the next tick, and keeps no other from its turn.
 */
export async function scheduleTick(deps: WorkerDeps, options: TickOptions): Promise<Ticked> {
  const now = options.now ?? (await readClock(deps));
  const ticked: Ticked = {
    asked: 0,
    skipped: 0,
    nowhere: 0,
    paused: 0,
    unknown: 0,
    elsewhere: 0,
    failed: 0,
  };
  let last: DueSchedule | null = null;
  do {
    const due: DueSchedule[] = await listDue(deps.db, now, last, pageSize);
    const rest = due.values();
    const askInTurn = async () => {
      for (const { id } of rest) ticked[await ask(deps, id, { ...options, now })] += 1;
    };
    await Promise.all(Array.from({ length: atOnce }, askInTurn));
    last = due.length < pageSize ? null : (due.at(-1) ?? null);
  } while (last !== null && !options.signal?.aborted);
  if (ticked.asked + ticked.skipped + ticked.nowhere + ticked.unknown > 0)
    deps.log.info(ticked, "schedules asked for their runs");
  return ticked;
}

async function ask(
  { db, log }: WorkerDeps,
  schedule: string,
  options: { now: Date; expiresInHours: number },
): Promise<Asked | "failed"> {
  try {
    return await askDue(db, schedule, options);
  } catch (error) {
    log.warn(
      { schedule, err: error },
      "a schedule could not be asked for its run; the next tick tries again",
    );
    return "failed";
  }
}

async function readClock({ db }: WorkerDeps): Promise<Date> {
  const [clock] = await db.query<{ now: Date }>("select clock_timestamp() as now");
  if (clock === undefined) throw new Error("The database told no time.");
  return clock.now;
}
