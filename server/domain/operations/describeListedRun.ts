import type { Decision } from "../authority/decide.ts";
import { consequenceOf } from "./consequence.ts";
import { type Progress, progressOf } from "./describeProgress.ts";
import type { ListedRun } from "./listedRun.ts";
import {
  type Badge,
  badgeOf,
  capitalised,
  counted,
  positionIn,
  reasonClause,
  sentence,
  tallyWordsOf,
  titleOf,
} from "./runWords.ts";

/** A sentence of "what happened"; `at` is a moment that belongs to its end. */
export type Line = { text: string; at: Date | null; isRisk: boolean };

/** A row of the operations list. */
export type RunRow = {
  id: string;
  badge: Badge;
  title: string;
  subtitle: string | null;
  tenant: { id: string; name: string; exists: boolean } | null;
  initiator: string;
  lines: Line[];
  progress: Progress | null;
  requestedAt: Date;
  /** Milliseconds from its start, or from the request when it never started. */
  took: number | null;
};

/** `now` is what the gate's rules say of a waiting run at this moment. */
export type Surroundings = { hasWorker: boolean; now: Decision | undefined; at: Date };

export function describeListedRun(run: ListedRun, around: Surroundings): RunRow {
  return {
    id: run.id,
    badge: badgeOf(run),
    title: titleOf(run.operation),
    subtitle: run.attempt > 1 ? `attempt ${run.attempt} of ${run.maxAttempts}` : null,
    tenant:
      run.tenantId === null
        ? null
        : { id: run.tenantId, name: run.tenantName ?? "Deleted tenant", exists: run.tenantExists },
    initiator: run.initiatorName ?? "System",
    lines: whatHappened(run, around),
    progress: progressOf(run, around.at),
    requestedAt: run.requestedAt,
    took: run.completedAt === null ? null : +run.completedAt - +(run.startedAt ?? run.requestedAt),
  };
}

export function whatHappened(run: ListedRun, around: Surroundings): Line[] {
  switch (run.outcome) {
    case "pending":
      return run.status === "running" ? runningLines(run) : waitingLines(run, around);
    case "blocked":
      return blockedLines(run);
    case "failed":
      return [line(sentence(run.failureMessage ?? "No reason was kept")), line(consequenceOf(run))];
    case "cancelled":
      return [line(`${cancelledWords(run)}${consequenceOf(run)}`)];
    case "partially_succeeded":
      return [tallyWordsOf(run), sentence(run.failureMessage ?? "")].flatMap((text) =>
        text ? [line(text)] : [],
      );
    case "succeeded":
      return [line(tallyWordsOf(run) || "Done.")];
  }
}

/** Why a run waits, and whether it would be let through. */
function waitingLines(run: ListedRun, { hasWorker, now, at }: Surroundings): Line[] {
  const lines = [];
  if (run.hold !== null) lines.push(...holdLines(run.hold));
  else if (run.nextAttemptAt !== null && run.nextAttemptAt > at)
    lines.push(line(`Attempt ${run.attempt} failed. Tries again`, run.nextAttemptAt));
  else lines.push(line(lineWords(run, now)));
  if (run.lastError !== null) lines.push(line(sentence(run.lastError)));
  if (!hasWorker) lines.push(line("No worker is running: nothing starts until one does."));
  if (now?.verdict === "denied")
    lines.push(risk(`Would be blocked now: ${reasonClause(run, now.reasonCode, now.checks)}.`));
  return lines;
}

/** What it waits for in its tenant's line, and where it stands there. */
function lineWords({ before }: ListedRun, now: Decision | undefined): string {
  const position =
    before === null ? "Waits for its turn." : `${capitalised(positionIn(before))} at this tenant.`;
  if (now?.verdict !== "deferred") return position;
  const { deferral } = now;
  switch (deferral.kind) {
    case "hold":
      return position;
    case "turn": {
      const { operation, by } = deferral;
      return `Waits for its turn: “${titleOf(operation)}”, asked for by ${by ?? "the system"}, writes at this tenant first.`;
    }
    case "concurrency": {
      const running = counted(deferral.running, "run is", "runs are");
      return `${running} under way at this tenant, as many as may be at once. ${position}`;
    }
  }
}

function holdLines(hold: NonNullable<ListedRun["hold"]>): Line[] {
  const held = line(`${capitalised(hold.of)} on hold by ${hold.by}: “${hold.reason}”`);
  return hold.until === null ? [held] : [held, line("Until", new Date(hold.until))];
}

function cancelledWords({ cancelledByName }: ListedRun): string {
  return cancelledByName === null ? "" : `Cancelled by ${cancelledByName}. `;
}

function runningLines(run: ListedRun): Line[] {
  const lines =
    run.cancelledByName === null
      ? []
      : [line(`${run.cancelledByName} asked to cancel it: it stops before its next change.`)];
  if (!run.isStuck) return lines;
  return [
    ...lines,
    run.heartbeatAt === null
      ? risk("No sign of life: its worker may be lost.")
      : { ...risk("Its worker may be lost. Last sign of life"), at: run.heartbeatAt },
  ];
}

function blockedLines(run: ListedRun): Line[] {
  if (run.reasonCode === null) return [line(consequenceOf(run))];
  const why = capitalised(reasonClause(run, run.reasonCode, run.deniedChecks));
  const lines = [line(`${why}. ${consequenceOf(run)}`)];
  if (run.repeats > 0) {
    const times = counted(run.repeats, "more time", "more times");
    lines.push(line(`Asked ${times}, with the same answer. Last`, run.lastRepeatAt));
  }
  return lines;
}

function line(text: string, at: Date | null = null): Line {
  return { text, at, isRisk: false };
}

function risk(text: string): Line {
  return { text, at: null, isRisk: true };
}
