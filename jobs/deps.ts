import type { Logger } from "pino";
import { type Db, workerBounds } from "../server/db/database.ts";
import { outlasting } from "../server/db/outlasting.ts";
import { retrying } from "../server/db/retrying.ts";
import type { CredentialKey } from "../server/domain/connections/sealing.ts";
import { type Begun, beginAttempts, type Delivery } from "../server/domain/operations/beginAttempts.ts";
import type { Ending } from "../server/domain/operations/ending.ts";
import { finishRuns } from "../server/domain/operations/finishRuns.ts";
import type { Run } from "../server/domain/operations/run.ts";
import type { Provider } from "../server/provider/port.ts";
import { makeBatcher } from "./batch.ts";
import { type LiveAttempts, makeLiveAttempts } from "./liveAttempts.ts";

/** What `withReauthorization` works with. Tasks are handed none of it. */
export type WorkerDeps = {
  db: Db;
  provider: Provider;
  credentialKeys: readonly CredentialKey[];
  log: Logger;
  attempts: LiveAttempts;
  /** Begins an attempt, sharing one gate transaction with deliveries that come at the same time. */
  begin(delivery: Delivery): Promise<Begun>;
  /** Ends an attempt that reached its end; false when it was no longer the run's present one. */
  finish(ending: { run: Run; ending: Ending }): Promise<boolean>;
};

/** Runs that share a gate transaction: large enough to spread its cost, small enough to keep locks short. */
const batchSize = 100;

export function makeWorkerDeps(
  given: Pick<WorkerDeps, "db" | "provider" | "credentialKeys" | "log">,
): WorkerDeps {
  const { db } = given;
  return {
    ...given,
    attempts: makeLiveAttempts(),
    begin: makeBatcher(batchSize, (deliveries: readonly Delivery[]) =>
      retrying(
        () => db.transaction((tx) => beginAttempts(tx, deliveries), workerBounds),
        triesOf(deliveries),
      ),
    ),
    finish: makeBatcher(batchSize, async (endings: readonly { run: Run; ending: Ending }[]) => {
      const work = () => db.transaction((tx) => finishRuns(tx, endings), workerBounds);
      const ended = await outlasting(work, triesOf(endings));
      return endings.map(({ run }) => ended.has(run.id));
    }),
  };
}

/** A batch that meets a held lock is not tried again as a whole: those of it that are free should not wait. */
function triesOf(batch: readonly unknown[]): number {
  return batch.length > 1 ? 1 : 8;
}
