import type { Reader } from "../db/database.ts";
import { hasLiveWorker } from "../domain/operations/attention.ts";
import { describeListedRun, type Line } from "../domain/operations/describeListedRun.ts";
import type { Progress } from "../domain/operations/describeProgress.ts";
import type { ShownRun } from "../domain/operations/findRunFor.ts";
import { previewRuns } from "../domain/operations/previewRuns.ts";
import type { Badge } from "../domain/operations/runWords.ts";

/** A preview that is not finished: under way, or over before it came to its end. */
export type UnderWay = {
  headline: string;
  badge: Badge;
  lines: Line[];
  progress: Progress | null;
  isOpen: boolean;
};

/** `run` is undefined for those who may not see operations: they read less. */
export async function previewUnderWay(reader: Reader, run: ShownRun | undefined): Promise<UnderWay> {
  if (run === undefined) return unseen;
  const isQueued = run.status === "queued";
  const [hasWorker, verdicts] = await Promise.all([
    isQueued ? hasLiveWorker(reader) : true,
    isQueued ? previewRuns(reader, [run.id]) : undefined,
  ]);
  const around = { hasWorker, now: verdicts?.get(run.id), at: new Date() };
  const { badge, lines, progress } = describeListedRun(run, around);
  const isOpen = run.status !== "completed";
  const where = run.tenantName === null ? "" : ` at ${run.tenantName}`;
  return {
    headline: isOpen
      ? `Finding out what a restore would do${where}`
      : `The preview${where} did not come to its end`,
    ...{ badge, lines, progress, isOpen },
  };
}

const unseen: UnderWay = {
  headline: "The preview is not finished",
  badge: { tone: "wait", icon: "queued", label: "Not finished" },
  lines: [{ text: "Reload this page in a while.", at: null, isRisk: false }],
  progress: null,
  isOpen: true,
};
