import type { Interruption, ShownRun } from "./findRunFor.ts";
import { badgeOf, counted, type Tone } from "./runWords.ts";

/** A step in a run's life. `after` is the time since the step before, in milliseconds. */
export type TimelineStep = {
  at: Date;
  title: string;
  detail: string | null;
  tone: Tone | null;
  after: number | null;
};

type Step = Omit<TimelineStep, "after">;

export function describeTimeline(run: ShownRun, interruptions: readonly Interruption[]): TimelineStep[] {
  const steps = [
    requested(run),
    ...run.decisions.flatMap(({ phase, verdict, attempt, decidedAt }) =>
      phase === "begin" && verdict === "allowed" ? [began(attempt, new Date(decidedAt))] : [],
    ),
    ...interruptions.map(interrupted),
    ...effects(run),
    ...cancellation(run),
    ...outcome(run),
    ...notified(run),
    ...dismissed(run),
  ].sort((a, b) => +a.at - +b.at);
  return steps.map((step, index) => {
    const before = steps[index - 1];
    return { ...step, after: before === undefined ? null : +step.at - +before.at };
  });
}

const triggerWords = {
  page: null,
  command: "from the command line",
  schedule: "by its schedule",
  retention: "because of its age",
  bulk: "as one of many",
} as const satisfies Record<ShownRun["trigger"], string | null>;

function requested(run: ShownRun): Step {
  const how = triggerWords[run.trigger];
  const wasDenied = Object.values(run.requestChecks).some(({ result }) => result === "failed");
  const verdict = wasDenied ? "denied at request" : "allowed at request";
  return {
    at: run.requestedAt,
    title: `Requested by ${run.initiatorName ?? "the system"}`,
    detail: [verdict, how].filter((part) => part !== null).join(", "),
    tone: null,
  };
}

function began(attempt: number, at: Date): Step {
  const title = attempt === 1 ? "Authorized and started" : `Authorized again, attempt ${attempt}`;
  return { at, title, detail: null, tone: "run" };
}

function interrupted({ kind, attempt, message, at }: Interruption): Step {
  switch (kind) {
    case "failed":
      return { at, title: `Attempt ${attempt} failed`, detail: message, tone: null };
    case "worker_lost":
      return {
        at,
        title: `Attempt ${attempt} lost its worker`,
        detail: "given up by another one",
        tone: null,
      };
    case "handed_back":
      return { at, title: "Handed back", detail: "its worker stopped; another goes on", tone: null };
    case "deferred":
      return { at, title: "Left waiting", detail: message, tone: null };
    case "let_through":
      return { at, title: "Let through the hold", detail: message, tone: null };
  }
}

function effects(run: ShownRun): Step[] {
  if (run.effects === null) return [];
  const { first, last } = run.effects;
  const many = run.effectsDone > 1;
  const begin: Step = {
    at: new Date(first),
    title: many ? "First change recorded" : "Change recorded",
    detail: null,
    tone: null,
  };
  if (!many) return [begin];
  const title = run.status === "completed" ? "Last change recorded" : "Latest change recorded";
  return [
    begin,
    { at: new Date(last), title, detail: counted(run.effectsDone, "step", "steps"), tone: null },
  ];
}

function cancellation({ cancelRequestedAt, cancelledByName, outcome }: ShownRun): Step[] {
  if (cancelRequestedAt === null || cancelledByName === null) return [];
  const isLate = outcome !== "pending" && outcome !== "cancelled";
  const detail = isLate ? "there was nothing left to stop" : null;
  return [{ at: cancelRequestedAt, title: `${cancelledByName} asked to cancel it`, detail, tone: null }];
}

function outcome(run: ShownRun): Step[] {
  if (run.completedAt === null) return [];
  const { label, tone } = badgeOf(run);
  const stopped = run.effectsDone === 0 ? "before anything was changed" : "before the next change";
  return [{ at: run.completedAt, title: label, detail: run.outcome === "blocked" ? stopped : null, tone }];
}

function dismissed({ dismissedAt, dismissedByName }: ShownRun): Step[] {
  if (dismissedAt === null) return [];
  const title = `Dismissed by ${dismissedByName}`;
  return [{ at: dismissedAt, title, detail: "no longer needs attention", tone: null }];
}

function notified(run: ShownRun): Step[] {
  if (run.notifiedAt === null) return [];
  return [
    { at: run.notifiedAt, title: `${run.initiatorName ?? "Initiator"} notified`, detail: null, tone: null },
  ];
}
