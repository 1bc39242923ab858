import { type Decision, decide } from "../../domain/authority/decide.ts";
import type { Phase } from "../../domain/authority/facts.ts";
import { idAt } from "./ids.ts";
import type { PastRun, World } from "./pastRun.ts";
import { untroubled } from "./worlds.ts";

/** A past run's moments. `begunAt`: when each of its attempts was allowed to begin; none for one that was not. */
export type Moments = { requestedAt: Date; expiresAt: Date; begunAt: readonly Date[]; completedAt: Date };

type Denial = Extract<Decision, { verdict: "denied" }>;
export type Verdicts = {
  atRequest: Decision;
  kept: readonly { attempt: number; phase: Phase; decision: Decision }[];
  denial: Denial | null;
};

export type ToldRun = PastRun &
  Moments &
  Verdicts & { id: string; sourceId: string | null; earlierId: string | null };

/** How many hours a request was good for. */
const goodFor = 24;

/** Works out when a past run's moments were and what was decided at each, by the product's own rules. */
export function tellRun(run: PastRun, now: Date): ToldRun {
  const moments = momentsOf(run, now);
  const { source, rerunOf } = run;
  return {
    ...run,
    ...moments,
    ...verdictsOf(run, moments),
    id: idOfRun(run, now),
    sourceId: source === undefined ? null : idOfRun(source, now),
    earlierId: rerunOf === undefined ? null : idOfRun(rerunOf, now),
  };
}

/** A backup's set and a preview's plan have the id of their run. */
export function idOfRun({ hoursAgo, operation, tenant }: PastRun, now: Date): string {
  return idAt(later(now, -hoursAgo * 3_600), "run", `${operation}/${tenant.name}`);
}

export function later(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1_000);
}

function momentsOf({ hoursAgo, waited = 1.4, took = 0, faults, end }: PastRun, now: Date): Moments {
  const requestedAt = later(now, -hoursAgo * 3_600);
  const expiresAt = later(requestedAt, goodFor * 3_600);
  if (end.outcome === "blocked" && end.at === "request")
    return { requestedAt, expiresAt, begunAt: [], completedAt: requestedAt };
  const decidedAt = later(requestedAt, waited);
  if (end.outcome === "cancelled" || (end.outcome === "blocked" && end.at === "begin"))
    return { requestedAt, expiresAt, begunAt: [], completedAt: decidedAt };
  const attempts = faults?.count ?? 1;
  const begunAt = Array.from({ length: attempts }, (_, index) => later(decidedAt, (took / attempts) * index));
  return { requestedAt, expiresAt, begunAt, completedAt: later(decidedAt, took) };
}

function verdictsOf(run: PastRun, moments: Moments): Verdicts {
  const judge = (phase: Phase, at: Date, world: World) =>
    decide(world(untroubled(run, phase, at, moments.expiresAt)));
  const was: World = run.was ?? ((facts) => facts);
  const begun = moments.begunAt.map((at, index) => ({
    attempt: index + 1,
    phase: "begin" as const,
    decision: judge("begin", at, was),
  }));
  const { end } = run;
  if (end.outcome !== "blocked")
    return { atRequest: judge("request", moments.requestedAt, was), kept: begun, denial: null };
  const denial = judge(end.at, moments.completedAt, end.world);
  if (denial.verdict !== "denied")
    throw new Error(`The demo's past run of ${run.hoursAgo} hours ago would not have been denied.`);
  return {
    atRequest: end.at === "request" ? denial : judge("request", moments.requestedAt, was),
    kept: [...begun, { attempt: end.at === "request" ? 0 : 1, phase: end.at, decision: denial }],
    denial,
  };
}
