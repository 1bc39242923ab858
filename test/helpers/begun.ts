import type { Run } from "../../server/domain/operations/run.ts";
import type { Installation } from "./installation.ts";
import { type Northwind, requestAs } from "./northwind.ts";

/** A sync of the world's tenant whose first attempt the gate has just allowed; nothing of it is done yet. */
export async function beginSync(
  { db, worker }: Pick<Installation, "db" | "worker">,
  world: Northwind,
  jobId = "job",
): Promise<Run> {
  const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const answer = await worker.begin({ operation: "inventory.sync", runId: id, jobId });
  if (answer.kind !== "authorized") throw new Error(`The run did not begin: ${answer.kind}`);
  return answer.run;
}
