import type { Task } from "graphile-worker";
import { z } from "zod";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { openProvider } from "../../jobs/openProvider.ts";
import { checkpoint } from "../../server/domain/operations/runEffect.ts";
import type { ProviderWriter } from "../../server/provider/port.ts";
import { listPlan, type PlanRecord } from "../helpers/backups.ts";
import { within } from "../helpers/callTime.ts";

/** What everybody writes first: a gate when the run begins, or one more right before each call. */
export type Checks = "at the start" | "before each call";

const payloadShape = z.looseObject({ runId: z.uuid() });
const targetShape = z.looseObject({ planId: z.uuid() });

/**
 * The vulnerable control: the same gates as the real thing, but what it is about to send is written down
 * nowhere, so that no revocation can wait for it. It must be seen to write after a revocation has returned.
 */
export function makeNaiveRestore(deps: WorkerDeps, checks: Checks): Task {
  return async (payload, helpers) => {
    const { runId } = payloadShape.parse(payload);
    const begun = await deps.begin({ operation: "restore.execute", runId, jobId: helpers.job.id });
    if (begun.kind !== "authorized") return;
    const { run } = begun;
    const { writer } = await openProvider(deps, run.connectionId ?? "");
    const isAllowed = async () =>
      checks === "at the start" ||
      (await deps.db.transaction((tx) => checkpoint(tx, run))).kind === "allowed";
    for (const row of await listPlan(deps.db, targetShape.parse(run.target).planId))
      if (!(await restoreRow(deps, writer, row, isAllowed))) return;
    await deps.finish({ run, ending: { outcome: "succeeded" } });
  };
}

async function restoreRow(
  { provider }: WorkerDeps,
  writer: ProviderWriter,
  { type, desired, assignments }: PlanRecord,
  isAllowed: () => Promise<boolean>,
): Promise<boolean> {
  let id: string | null = null;
  for (const write of provider.model.planWrites(type, desired ?? {}, assignments, null)) {
    if (!(await isAllowed())) return false;
    const written = await writer.write({ ...write, id }, crypto.randomUUID(), within(20_000));
    id ??= written.id;
  }
  return true;
}
