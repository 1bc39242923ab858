import type { ShownRun } from "./findRunFor.ts";
import { tallyWordsOf } from "./runWords.ts";

/** What cancelling a run that is open would do, a sentence each. */
export function describeCancellation(run: ShownRun): string[] {
  return [...moment(run), ...children(run), soFar(run)];
}

function moment({ status, attempt }: ShownRun): string[] {
  if (status === "running")
    return [
      "It stops before its next change.",
      "A change under way at Microsoft is waited for, so that it is known what became of it.",
    ];
  return attempt === 0
    ? ["It has not begun. It ends at once and never runs."]
    : ["It waits for another attempt. It ends at once and is not tried again."];
}

function children({ operation, attempt }: ShownRun): string[] {
  const asks = operation === "tenants.bulk_sync" && attempt > 0;
  return asks ? ["The runs that it has asked for are cancelled with it."] : [];
}

function soFar(run: ShownRun): string {
  const tally = tallyWordsOf(run);
  if (run.effectsDone === 0) return "Nothing has been changed so far.";
  return tally === "" ? "What it has done stays as it is." : `What it has done stays as it is: ${tally}.`;
}
