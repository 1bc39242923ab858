import { describeAction } from "../audit/describeAction.ts";
import type { Check } from "../authority/check.ts";
import { type CheckName, checkNames } from "../authority/decide.ts";
import type { Change, KeptDecision, ShownRun } from "./findRunFor.ts";
import type { Badge } from "./runWords.ts";

/** The checks of a run side by side: as it was requested, and as it was last decided. */
export type DecisionCard = {
  decidedAt: Date | null;
  /** Where in the run that was, as the end of a heading. */
  moment: "as it began" | "before it began" | "before the next change" | null;
  rows: DecisionRow[];
};

export type DecisionRow = {
  label: string;
  atRequest: string;
  /** Null while nothing has been decided since the request. */
  atExecution: string | null;
  isSame: boolean;
  badge: Badge;
  /** What was done to whom the check is about, as its audit entry has it. */
  change: { eventId: string; words: string; at: Date } | null;
};

export const checkLabels = {
  workspace_scope: "Workspace",
  initiator: "Initiator",
  tenant_scope: "Tenant access",
  capability: "Capability",
  tenant_operability: "Tenant lifecycle",
  provider_connection: "Connection",
  write_gate: "Write gate",
  execution_prerequisites: "Other conditions",
} as const satisfies Record<CheckName, string>;

const concerns = {
  workspace_scope: ["tenant"],
  initiator: ["user"],
  tenant_scope: ["user"],
  capability: ["user", "role"],
  tenant_operability: ["tenant"],
  provider_connection: ["connection"],
  write_gate: ["connection"],
  execution_prerequisites: [],
} as const satisfies Record<CheckName, readonly Change["subjectType"][]>;

export const checkBadges = {
  passed: { tone: "ok", icon: "succeeded", label: "Passed" },
  failed: { tone: "block", icon: "blocked", label: "Denied" },
  not_applicable: { tone: "wait", icon: "skipped", label: "Not applicable" },
} as const satisfies Record<Check["result"], Badge>;

/** What decided a run: the latest verdict since the request. */
export function latestDecision(run: ShownRun): KeptDecision | null {
  return run.decisions.at(-1) ?? null;
}

/** Whether any check says something else than at request. */
export function hasMoved(run: ShownRun): boolean {
  const latest = latestDecision(run);
  return latest !== null && checkNames.some((name) => differs(run.requestChecks[name], latest.checks[name]));
}

export function describeDecision(run: ShownRun, changes: readonly Change[]): DecisionCard {
  const latest = latestDecision(run);
  return {
    decidedAt: latest === null ? null : new Date(latest.decidedAt),
    moment: latest === null ? null : momentOf(latest),
    rows: eachChangeOnce(
      checkNames.flatMap((name) => describeCheck(name, run.requestChecks[name], latest, changes)),
    ),
  };
}

function momentOf({ phase, verdict }: KeptDecision): DecisionCard["moment"] {
  if (phase === "checkpoint") return "before the next change";
  return verdict === "denied" ? "before it began" : "as it began";
}

/** One change may move several checks: it stands at the one that failed, or else at the first. */
function eachChangeOnce(rows: readonly DecisionRow[]): DecisionRow[] {
  const moved = rows.filter(({ change }) => change !== null);
  const denied = moved.filter(({ badge }) => badge === checkBadges.failed);
  const holders = new Map([...moved.reverse(), ...denied].map((row) => [row.change?.eventId, row]));
  return rows.map((row) => (holders.get(row.change?.eventId) === row ? row : { ...row, change: null }));
}

/** Nothing for a check that this run was never asked: an earlier release had fewer. */
function describeCheck(
  name: CheckName,
  requested: Check | undefined,
  latest: KeptDecision | null,
  changes: readonly Change[],
): DecisionRow[] {
  const decided = latest?.checks[name];
  const check = decided ?? requested;
  if (check === undefined) return [];
  const moved = latest !== null && differs(requested, decided);
  return [
    {
      label: checkLabels[name],
      atRequest: requested?.value ?? "not asked",
      atExecution: decided?.value ?? null,
      isSame: latest !== null && !moved,
      badge: checkBadges[check.result],
      change: moved ? changeOf(latestOf(changes, concerns[name])) : null,
    },
  ];
}

function latestOf(
  changes: readonly Change[],
  subjects: readonly Change["subjectType"][],
): Change | undefined {
  return changes
    .filter(({ subjectType }) => subjects.includes(subjectType))
    .sort((a, b) => b.at.getTime() - a.at.getTime())[0];
}

function changeOf(change: Change | undefined): DecisionRow["change"] {
  if (change === undefined) return null;
  const words = `${describeAction(change.action)} by ${change.actorName ?? "the system"}`;
  return { eventId: change.id, words, at: change.at };
}

function differs(requested: Check | undefined, decided: Check | undefined): boolean {
  return requested?.result !== decided?.result || requested?.value !== decided?.value;
}
