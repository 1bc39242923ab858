import { type DenialClass, denials } from "../authority/reasons.ts";
import { isOperationName, type OperationName } from "./catalog.ts";
import type { ListedRun } from "./listedRun.ts";
import { counted } from "./runWords.ts";

type Done = Pick<ListedRun, "progressDone" | "progressTotal" | "tally">;

const recorded = {
  "inventory.sync": (run) => `${counted(run.progressDone, "policy", "policies")} had been recorded`,
  "provider.connection.verify": () => "The result had been recorded on the connection",
  "backup.create": (run) => `${counted(run.progressDone, "policy", "policies")} had been backed up`,
  "restore.preview": (run) => `${counted(run.progressDone, "item", "items")} had been looked at`,
  "restore.execute": (run) => ofAll(run, ["created", "updated"], "changed"),
  "tenants.bulk_sync": (run) => ofAll(run, ["synced", "synced_partly"], "synced", ["tenant", "tenants"]),
  "policies.bulk_assign": (run) => ofAll(run, ["assigned"], "changed"),
  "policies.bulk_delete": (run) => ofAll(run, ["deleted"], "deleted"),
  "backups.bulk_delete": (run) => ofAll(run, ["deleted"], "deleted", ["backup", "backups"]),
} as const satisfies Record<OperationName, (run: Done) => string>;

/** "3 of 12 items had been changed". */
function ofAll(
  { tally, progressDone, progressTotal }: Done,
  results: readonly string[],
  done: string,
  [one, many]: [string, string] = ["item", "items"],
): string {
  const count = results.reduce((sum, result) => sum + (tally[result] ?? 0), 0);
  return `${count.toLocaleString("en-GB")} of ${counted(progressTotal ?? progressDone, one, many)} had been ${done}`;
}

/** Whether anything was changed by a run that did not reach its end well. */
export function consequenceOf(
  run: Done & Pick<ListedRun, "operation" | "outcome" | "effectsDone" | "effectsUnsettled" | "reasonCode">,
): string {
  const unsettled = unsettledWords(run.effectsUnsettled);
  if (unsettled !== null && run.effectsDone === 0) return unsettled;
  if (run.effectsDone === 0) return "Nothing was changed.";
  const what = isOperationName(run.operation)
    ? recorded[run.operation](run)
    : `${counted(run.effectsDone, "change", "changes")} had been recorded`;
  const sentences = [`${what} before ${endOf(run)}.`, ...(unsettled === null ? [] : [unsettled])];
  return sentences.join(" ");
}

function unsettledWords(unsettled: number): string | null {
  if (unsettled === 0) return null;
  return `Of ${counted(unsettled, "change", "changes")} at Microsoft it is not known yet whether ${unsettled === 1 ? "it was" : "they were"} made.`;
}

const revocations: readonly DenialClass[] = ["initiator_invalid", "scope_denied", "capability_denied"];

function endOf({ outcome, reasonCode }: Pick<ListedRun, "outcome" | "reasonCode">): string {
  if (outcome === "cancelled") return "it was cancelled";
  if (reasonCode === null) return "it ended";
  return revocations.includes(denials[reasonCode].denialClass) ? "access was revoked" : "the run was stopped";
}
