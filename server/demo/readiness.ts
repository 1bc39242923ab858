import { setTimeout as wait } from "node:timers/promises";
import type { Reader } from "../db/database.ts";

/** How often to look, and for how long (milliseconds). */
const pause = 50;
const patience = 30_000;

/** Until the web process answers at this address that it is ready. */
export function untilAnswering(address: string): Promise<void> {
  return until("the web process", async () => {
    const answer = await fetch(address).catch(() => undefined);
    return answer?.ok ?? false;
  });
}

/** Until a worker has registered that was not there before. */
export async function untilWorking(reader: Reader): Promise<void> {
  const [now] = await reader.query<{ at: Date }>("select clock_timestamp() - interval '10 s' as at");
  await until("the worker", async () => {
    const pools = await reader.query(
      "select 1 from worker_pools where started_at > $1 and stopped_at is null",
      [now?.at],
    );
    return pools.length > 0;
  });
}

async function until(whom: string, isReady: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < patience; waited += pause) {
    if (await isReady()) return;
    await wait(pause);
  }
  throw new Error(`Waited ${patience / 1_000} s for ${whom} in vain.`);
}
