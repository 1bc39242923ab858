import { z } from "zod";
import type { Delivery } from "../server/domain/operations/beginAttempts.ts";
import type { OperationName } from "../server/domain/operations/catalog.ts";
import { refuseDelivery } from "../server/domain/operations/refuseDelivery.ts";
import type { WorkerDeps } from "./deps.ts";

const payloadShape = z.strictObject({ runId: z.uuid() });
const namesRun = z.object({ runId: z.uuid() });

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
  if (parsed.success) return { runId: parsed.data.runId, jobId };
  const runId = namesRun.safeParse(payload).data?.runId ?? null;
  const why = runId === null ? "the payload names no run" : "the payload holds more than the id of a run";
  await refuseDelivery(deps.db, { operation, jobId, runId, why });
  deps.log.warn({ operation, job: jobId, run: runId }, `job refused: ${why}`);
  return undefined;
}
