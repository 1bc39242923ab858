import type { Reader } from "../../db/database.ts";
import { hasLiveWorker } from "./attention.ts";
import { whatHappened } from "./describeListedRun.ts";
import { type ListedRun, listedRunColumns, listedRunJoins } from "./listedRun.ts";
import type { Outcome } from "./run.ts";
import { badgeOf } from "./runWords.ts";

/** How a run stands, in the words of its page. */
export type RunStanding = { outcome: Outcome; label: string; lines: string[] };

/** For the installation's own commands, which nobody's scope limits. Throws when there is no such run. */
export async function getRunForOperator(reader: Reader, runId: string): Promise<RunStanding> {
  const [run] = await reader.query<ListedRun>(
    `select ${listedRunColumns} from operation_runs r ${listedRunJoins} where r.id = $1`,
    [runId],
  );
  if (run === undefined) throw new Error(`There is no run ${runId}.`);
  const hasWorker = run.status !== "queued" || (await hasLiveWorker(reader));
  const lines = whatHappened(run, { hasWorker, now: undefined, at: new Date() });
  return {
    outcome: run.outcome,
    label: badgeOf(run).label,
    lines: lines.map(({ text, at }) => (at === null ? text : `${text} ${at.toISOString()}`)),
  };
}
