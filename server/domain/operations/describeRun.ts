import { denials } from "../authority/reasons.ts";
import { may, type Viewer } from "../authority/viewer.ts";
import { contractOf, isOperationName } from "./catalog.ts";
import { consequenceOf } from "./consequence.ts";
import { type DecisionCard, describeDecision } from "./describeDecision.ts";
import { type Line, type Surroundings, whatHappened } from "./describeListedRun.ts";
import { type Progress, progressOf } from "./describeProgress.ts";
import { describeTarget, type ShownTarget } from "./describeTarget.ts";
import { describeTimeline, type TimelineStep } from "./describeTimeline.ts";
import type { Change, Interruption, ShownRun } from "./findRunFor.ts";
import { leftOutOf } from "./leftOut.ts";
import type { RelatedRun } from "./listReruns.ts";
import { mayOpenTenant, type NextStep, nextStepFor } from "./nextStep.ts";
import { actionsOn, type RunActions } from "./runActions.ts";
import { type Badge, badgeOf, reasonClause, tallyOf, titleOf } from "./runWords.ts";

/** Everything a run's page says. */
export type RunView = {
  id: string;
  workspaceName: string | null;
  title: string;
  badge: Badge;
  headline: string;
  lines: Line[];
  nextStep: NextStep | null;
  actions: RunActions;
  progress: Progress | null;
  isOpen: boolean;
  tally: { label: string; count: string }[];
  decision: DecisionCard;
  timeline: TimelineStep[];
  facts: RunFacts;
  reruns: RunLink[];
  reason: { code: string; class: string } | null;
  failureCode: string | null;
  /** What it was asked to do, in detail; null for those who may not see it, and where there is nothing more. */
  payload: ShownTarget | null;
};

/** A run before or after this one, in the chain of those who asked again. */
export type RunLink = { id: string; badge: Badge; words: string; at: Date };

export type RunFacts = {
  tenant: { id: string; name: string; isLink: boolean } | null;
  initiator: { id: string | null; name: string };
  authority: string;
  /** The schedule that asked for it, for those who may see it. */
  scheduleId: string | null;
  capability: string | null;
  effects: number;
  attempt: number;
  maxAttempts: number;
  requestedAt: Date;
  expiresAt: Date;
};

export type RunPageInput = {
  run: ShownRun;
  viewer: Viewer;
  around: Surroundings;
  interruptions: readonly Interruption[];
  changes: readonly Change[];
  reruns: readonly RelatedRun[];
};

export function describeRun({ run, viewer, around, interruptions, changes, reruns }: RunPageInput): RunView {
  const { reasonCode } = run;
  const isElsewhere = run.workspaceId !== viewer.selectedWorkspaceId;
  return {
    id: run.id,
    workspaceName: isElsewhere ? (viewer.workspace?.name ?? null) : null,
    title: titleOf(run.operation),
    badge: badgeOf(run),
    headline: headlineOf(run),
    lines: linesOf(run, around),
    nextStep: nextStepFor(run, viewer),
    actions: actionsOn(run, viewer),
    progress: progressOf(run, around.at),
    isOpen: run.status !== "completed",
    tally: tallyOf(run),
    decision: describeDecision(run, changes),
    timeline: describeTimeline(run, interruptions),
    facts: factsOf(run, viewer),
    reruns: reruns.map(linkTo),
    reason: reasonCode === null ? null : { code: reasonCode, class: denials[reasonCode].denialClass },
    failureCode: run.failureCode,
    payload: may(viewer, "operations.view_payload", run.tenantId) ? describeTarget(run.target) : null,
  };
}

function linkTo(run: RelatedRun): RunLink {
  const who = run.initiatorName ?? "the system";
  const what = titleOf(run.operation);
  const words = run.isEarlier ? `Asks again for “${what}” of ${who}` : `Asked for again by ${who}: ${what}`;
  return { id: run.id, badge: badgeOf(run), words, at: run.requestedAt };
}

function headlineOf(run: ShownRun): string {
  const { label } = badgeOf(run);
  if (run.reasonCode !== null) return `${label}: ${reasonClause(run, run.reasonCode, run.deniedChecks)}`;
  const where = run.tenantName === null ? "" : ` at ${run.tenantName}`;
  return `${label}: ${titleOf(run.operation)}${where}`;
}

function linesOf(run: ShownRun, around: Surroundings): Line[] {
  const leftOut = leftOutOf(run.target);
  return [
    ...outcomeLines(run, around),
    ...(leftOut === null ? [] : [{ text: leftOut, at: null, isRisk: false }]),
  ];
}

/** The headline has said why a blocked run ended; here is what that left behind. */
function outcomeLines(run: ShownRun, around: Surroundings): Line[] {
  if (run.outcome !== "blocked") return whatHappened(run, around);
  const where = run.tenantName === null || run.effectsDone > 0 ? "" : ` at ${run.tenantName}`;
  const text = consequenceOf(run).replace(/\.$/, `${where}.`);
  return [{ text, at: null, isRisk: false }, ...whatHappened(run, around).slice(1)];
}

function factsOf(run: ShownRun, viewer: Viewer): RunFacts {
  return {
    tenant:
      run.tenantId === null
        ? null
        : {
            id: run.tenantId,
            name: run.tenantName ?? "Deleted tenant",
            isLink: mayOpenTenant(run, viewer),
          },
    initiator: { id: run.initiatorId, name: run.initiatorName ?? "System" },
    authority: run.authorityMode === "actor_bound" ? "of the initiator" : "of the system",
    scheduleId: may(viewer, "schedule.view", run.tenantId) ? run.scheduleId : null,
    capability: isOperationName(run.operation) ? contractOf(run.operation).capability : null,
    effects: run.effectsDone,
    attempt: run.attempt,
    maxAttempts: run.maxAttempts,
    requestedAt: run.requestedAt,
    expiresAt: run.expiresAt,
  };
}
