import type { Reader } from "../db/database.ts";
import { mayAt } from "../domain/authority/places.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { hasLiveWorker } from "../domain/operations/attention.ts";
import { contractOf, isOperationName } from "../domain/operations/catalog.ts";
import { hasMoved, latestDecision } from "../domain/operations/describeDecision.ts";
import type { Surroundings } from "../domain/operations/describeListedRun.ts";
import { describeRun, type RunView } from "../domain/operations/describeRun.ts";
import {
  type Change,
  findRunFor,
  listChangesSince,
  listInterruptions,
  type ShownRun,
} from "../domain/operations/findRunFor.ts";
import { listReruns } from "../domain/operations/listReruns.ts";
import { previewRuns } from "../domain/operations/previewRuns.ts";
import { runScopeOf } from "../domain/operations/runScope.ts";
import { listGranters } from "../domain/people/listGranters.ts";

/** `granters`: who can grant the missing right, where the next step is to ask. */
export type RunPage = { run: RunView; granters: string[] };

export async function readRunPage(
  reader: Reader,
  viewer: Viewer,
  runId: string,
): Promise<RunPage | undefined> {
  const run = await findRunFor(reader, viewer, runId);
  if (run === undefined) return undefined;
  const [around, interruptions, changes, reruns] = await Promise.all([
    readSurroundings(reader, run),
    listInterruptions(reader, run.id),
    listChanges(reader, viewer, run),
    listReruns(reader, runScopeOf(viewer), run),
  ]);
  const view = describeRun({ run, viewer, around, interruptions, changes, reruns });
  const asks = view.nextStep?.namesGranters === true;
  return { run: view, granters: asks ? await grantersFor(reader, viewer, run) : [] };
}

async function grantersFor(reader: Reader, viewer: Viewer, { workspaceId }: ShownRun): Promise<string[]> {
  return may(viewer, "member.manage", null) ? ["You"] : listGranters(reader, workspaceId);
}

async function readSurroundings(reader: Reader, run: ShownRun): Promise<Surroundings> {
  const at = new Date();
  if (run.status !== "queued") return { hasWorker: true, now: undefined, at };
  const verdicts = isOperationName(run.operation) ? await previewRuns(reader, [run.id]) : undefined;
  return { hasWorker: await hasLiveWorker(reader), now: verdicts?.get(run.id), at };
}

/** What changed between request and verdict, as far as the viewer may see the trail. */
async function listChanges(reader: Reader, viewer: Viewer, run: ShownRun): Promise<Change[]> {
  const latest = latestDecision(run);
  if (latest === null || !hasMoved(run)) return [];
  const capability = isOperationName(run.operation) ? contractOf(run.operation).capability : null;
  const changes = await listChangesSince(reader, run, capability, new Date(latest.decidedAt));
  return changes.filter(({ tenantId }) =>
    mayAt(viewer, "audit.view", { workspaceId: run.workspaceId, tenantId, own: false }),
  );
}
