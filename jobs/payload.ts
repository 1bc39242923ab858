import { z } from "zod";
import type { Delivery } from "../server/domain/operations/beginAttempts.ts";
import type { OperationName } from "../server/domain/operations/catalog.ts";
import { refuseDelivery } from "../server/domain/operations/refuseDelivery.ts";
import type { WorkerDeps } from "./deps.ts";

const runId = z.uuid().toLowerCase();
const payloadShape = z.strictObject({ runId });
const namesRun = z.object({ runId });

/**
 * Reads a job's payload: exactly a run's id. Anything else has no effect and is recorded as a refusal; the
 * job is then done, because no retry would make it better.
 */
export async function acceptDelivery(
  deps: WorkerDeps,
  operation: OperationName,
  payload: unknown,
  jobId: string,
): Promise<Delivery | undefined> {
  const parsed = payloadShape.safeParse(payload);
  if (parsed.success) return { operation, runId: parsed.data.runId, jobId };
  const named = namesRun.safeParse(payload).data?.runId ?? null;
  const why = named === null ? "the payload names no run" : "the payload holds more than the id of a run";
  await refuse(deps, { operation, jobId, runId: named }, why);
  return undefined;
}

/** Records a job that the gate found to be for no run, or for one of another operation. */
export async function refuse(
  deps: WorkerDeps,
  job: { operation: OperationName; jobId: string; runId: string | null },
  why: string,
): Promise<void> {
  await refuseDelivery(deps.db, { ...job, why });
  deps.log.warn({ operation: job.operation, job: job.jobId, run: job.runId }, `job refused: ${why}`);
}
