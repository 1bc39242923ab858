import type { Tx } from "../../db/database.ts";
import type { Deferral } from "../authority/decide.ts";

/**
 * The hold that keeps a waiting run from beginning, for when the gate could not be asked. Takes no authority
 * locks: it may only be used to leave the run waiting.
 */
export async function findHoldOver(
  tx: Tx,
  runId: string,
): Promise<{ deferral: Deferral; decidedAt: Date } | undefined> {
  const [hold] = await tx.query<{
    of: "tenant" | "workspace";
    reason: string;
    by: string;
    until: Date | null;
    now: Date;
  }>(
    `select h."of", h.reason, h."by", h.until, clock_timestamp() as now
     from operation_runs r cross join lateral hold_over(r) h where r.id = $1`,
    [runId],
  );
  if (hold === undefined) return undefined;
  const { now, ...held } = hold;
  return { deferral: { kind: "hold", ...held }, decidedAt: now };
}
