import type { Actor, AuditEvent } from "../../domain/audit/recordAudit.ts";
import type { RunTrigger } from "../../domain/operations/freezeRequest.ts";
import type { Person } from "./cast.ts";
import type { PastRun } from "./pastRun.ts";
import { later, type ToldRun } from "./tellRun.ts";

export type PastEvent = AuditEvent & { at: Date };

/** A past run's audit entries, as the product writes them. */
export function auditOf(told: ToldRun): PastEvent[] {
  const { tenant, by, operation, requestedAt, begunAt } = told;
  const entry = (at: Date, action: string, rest: Pick<AuditEvent, "outcome"> & Partial<AuditEvent>) => ({
    at,
    workspaceId: tenant.workspace.id,
    tenantId: tenant.id,
    actor: null,
    action,
    subject: { type: "run" as const, id: told.id },
    ...rest,
    details: { operation, ...rest.details },
  });
  return [
    entry(requestedAt, "run.requested", {
      actor: actorOf(by),
      outcome: told.atRequest.verdict === "denied" ? "denied" : "allowed",
      details: {
        authorityMode: by === null ? "system_authority" : "actor_bound",
        trigger: triggerOf(told),
      },
    }),
    ...begunAt.map((at, index) =>
      entry(at, "run.started", { outcome: "allowed", details: { attempt: index + 1, verdict: "allowed" } }),
    ),
    ...faultsOf(told).map(({ at, attempt, fault }) =>
      entry(at, "run.attempt_failed", { outcome: "failed", details: { attempt, ...fault } }),
    ),
    ...(told.effects ?? []).map(({ name, counts }, index, { length }) =>
      entry(between(told, (index + 1) / (length + 1)), "run.effect", {
        outcome: "done",
        details: { attempt: begunAt.length, effect: name, ...counts },
      }),
    ),
    ...(told.end.outcome === "cancelled"
      ? [
          entry(told.completedAt, "run.cancellation_requested", {
            actor: actorOf(told.end.by),
            outcome: "done",
            details: { attempt: 0, status: "queued" },
          }),
        ]
      : []),
    entry(told.completedAt, `run.${told.end.outcome}`, endingOf(told)),
  ];
}

export function triggerOf({ by, schedule }: PastRun): RunTrigger {
  if (schedule !== undefined) return "schedule";
  return by === null ? "command" : "page";
}

export function actorOf(person: Person | null): Actor | null {
  return person === null ? null : { id: person.id, name: person.name };
}

function faultsOf({ begunAt, completedAt, faults }: ToldRun) {
  if (faults === undefined) return [];
  const { count, ...fault } = faults;
  return begunAt.slice(0, count).map((_, index) => ({
    at: begunAt[index + 1] === undefined ? completedAt : later(begunAt[index + 1] ?? completedAt, -0.5),
    attempt: index + 1,
    fault,
  }));
}

function between({ begunAt, completedAt }: ToldRun, share: number): Date {
  const from = begunAt.at(-1) ?? completedAt;
  return later(from, ((completedAt.getTime() - from.getTime()) / 1_000) * share);
}

function endingOf({
  end,
  denial,
  begunAt,
  effects,
}: ToldRun): Pick<AuditEvent, "outcome" | "details" | "actor"> {
  const base = { attempt: begunAt.length, effects: effects?.length ?? 0 };
  switch (end.outcome) {
    case "blocked":
      return {
        actor: null,
        outcome: "denied",
        details: {
          ...base,
          outcome: end.outcome,
          reasonCode: denial?.reasonCode,
          denialClass: denial?.denialClass,
        },
      };
    case "cancelled":
      return {
        actor: null,
        outcome: "done",
        details: { ...base, outcome: end.outcome, by: end.by.name },
      };
    case "failed":
      return { actor: null, outcome: "failed", details: { ...base, ...end } };
    case "succeeded":
    case "partially_succeeded":
      return { actor: null, outcome: "done", details: { ...base, ...end } };
  }
}
