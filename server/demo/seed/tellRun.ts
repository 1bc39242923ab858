import type { AuditEvent } from "../../domain/audit/recordAudit.ts";
import { type Decision, decide } from "../../domain/authority/decide.ts";
import type { Phase } from "../../domain/authority/facts.ts";
import type { Person } from "./cast.ts";
import type { PastEnd, PastRun, Then } from "./pastRun.ts";
import { untroubled } from "./worlds.ts";

/** How many hours a request was good for. */
const goodFor = 24;

export type Dated<Thing> = Thing & { at: Date };
export type ToldDecision = { attempt: number; phase: Phase; decision: Decision };

/** A past run with all its moments, verdicts and audit entries, as the product would have kept them. */
export type ToldRun = {
  run: PastRun;
  requestedAt: Date;
  expiresAt: Date;
  /** When its first attempt was allowed to begin; null: none was. */
  startedAt: Date | null;
  completedAt: Date;
  attempt: number;
  atRequest: Decision;
  denial: Extract<Decision, { verdict: "denied" }> | null;
  decisions: ToldDecision[];
  audit: Dated<AuditEvent>[];
};

/** Works out a past run. Throws when its rules disagree with how it is said to have ended. */
export function tellRun(run: PastRun, now: Date): ToldRun {
  const requestedAt = new Date(now.getTime() - run.hoursAgo * 3_600_000);
  const expiresAt = later(requestedAt, goodFor * 3_600);
  const decidedAt = later(requestedAt, run.waited ?? 1.4);
  const stoppedAt = stopOf(run.end);
  const began = stoppedAt === null || stoppedAt === "checkpoint";
  const attempt = began ? (run.faults?.count ?? 1) : 0;
  const completedAt = began
    ? later(decidedAt, run.took ?? 0)
    : stoppedAt === "request"
      ? requestedAt
      : decidedAt;
  const judge = (phase: Phase, at: Date, change: Then = run.was ?? same) =>
    decide(change(untroubled(run, phase, at, expiresAt)));
  const then = run.end.outcome === "blocked" ? run.end.then : undefined;
  const atRequest = judge("request", requestedAt, stoppedAt === "request" ? then : undefined);
  const decisions: ToldDecision[] = attemptTimes(decidedAt, completedAt, attempt).map((at, index) => ({
    attempt: index + 1,
    phase: "begin",
    decision: judge("begin", at),
  }));
  const denial = denialOf(run, judge, then, completedAt);
  if (denial !== null && stoppedAt !== null && stoppedAt !== "cancelled")
    decisions.push({
      attempt: stoppedAt === "request" ? 0 : Math.max(attempt, 1),
      phase: stoppedAt,
      decision: denial,
    });
  const startedAt = began ? decidedAt : null;
  const told = { run, requestedAt, expiresAt, startedAt, completedAt, attempt, atRequest, denial, decisions };
  return { ...told, audit: auditOf(told) };
}
