import type { Reader } from "../../db/database.ts";
import type { Facts } from "../authority/facts.ts";
import { previewLimit, previewRuns } from "./previewRuns.ts";

/** Runs that a change would end: what waits is blocked when it begins, what runs before its next effect. */
export type Stopped = {
  queued: number;
  running: number;
  /** How many tenants they concern. */
  tenants: number;
  /** There were more open runs than were looked at. */
  more: boolean;
};

export type OpenRun = { id: string; tenantId: string | null; status: "queued" | "running" };

/** How many open runs to read for `countStopped`: one more than it looks at, to know that there are more. */
export const openRunLimit = previewLimit + 1;

/** Which of these open runs are not denied now (holds aside) and would be denied under the supposed facts. */
export async function countStopped(
  reader: Reader,
  runs: readonly OpenRun[],
  supposing: (facts: Facts) => Facts,
): Promise<Stopped> {
  const asked = runs.slice(0, previewLimit);
  const ids = asked.map(({ id }) => id);
  const now = await previewRuns(reader, ids);
  const then = await previewRuns(reader, ids, supposing);
  const stopped = asked.filter(
    ({ id }) => now.get(id)?.verdict !== "denied" && then.get(id)?.verdict === "denied",
  );
  return {
    queued: stopped.filter(({ status }) => status === "queued").length,
    running: stopped.filter(({ status }) => status === "running").length,
    tenants: new Set(stopped.flatMap(({ tenantId }) => tenantId ?? [])).size,
    more: runs.length > previewLimit,
  };
}
