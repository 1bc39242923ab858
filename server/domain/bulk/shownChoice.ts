import { z } from "zod";
import type { Reader } from "../../db/database.ts";
import type { Viewer } from "../authority/viewer.ts";
import { digestOfJson } from "../digest.ts";
import { findAskedBefore } from "../operations/requestKeys.ts";
import type { RequestOutcome } from "../operations/requestRun.ts";

/**
 * Of what a page showed as chosen. What is confirmed must be just that: as many others are not the same, where a
 * list has changed in between.
 */
export function digestOfChoice(ids: readonly string[]): string {
  return digestOfJson([...ids].sort());
}

const frozen = z.union([
  z.object({ tenantIds: z.array(z.string()) }).transform(({ tenantIds }) => tenantIds),
  z.object({ setIds: z.array(z.string()) }).transform(({ setIds }) => setIds),
]);

/**
 * The run that the same form has made already, clicked twice or sent again: by then what was chosen may be done
 * with and gone, and cannot be chosen any more.
 */
export async function findConfirmedBefore(
  reader: Reader,
  { user, workspace }: Viewer,
  operation: "tenants.bulk_sync" | "backups.bulk_delete",
  { requestKey, digest }: { requestKey: string; digest: string },
): Promise<RequestOutcome | undefined> {
  if (workspace === null) return undefined;
  const asked = { workspaceId: workspace.id, initiatorId: user.id, operation, requestKey };
  const run = await findAskedBefore(reader, asked);
  const ids = frozen.safeParse(run?.target).data;
  if (run === undefined || ids === undefined || digestOfChoice(ids) !== digest) return undefined;
  return { kind: "stored", runId: run.id, blocked: run.outcome === "blocked" };
}
