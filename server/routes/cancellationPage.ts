import type { Viewer } from "../domain/authority/viewer.ts";
import { Conflict, Forbidden } from "../domain/errors.ts";
import { lackingToCancel } from "../domain/operations/cancellation.ts";
import { describeCancellation } from "../domain/operations/describeCancellation.ts";
import type { ShownRun } from "../domain/operations/findRunFor.ts";
import { titleOf } from "../domain/operations/runWords.ts";
import { paths } from "../http/paths.ts";

export type CancellationPage = { title: string; question: string; sentences: string[]; address: string };

/** Throws `Forbidden` for who may not cancel the run, `Conflict` when there is nothing left to cancel. */
export function cancellationPage(viewer: Viewer, run: ShownRun): CancellationPage {
  const { workspaceId, tenantId, initiatorId, initiatorName, tenantName } = run;
  const own = initiatorId === viewer.user.id;
  const lacking = lackingToCancel(viewer, { workspaceId, tenantId, own });
  if (lacking !== null) throw new Forbidden(lacking);
  if (run.status === "completed")
    throw new Conflict("It cannot be cancelled any more: it has ended already.");
  const title = titleOf(run.operation);
  const where = tenantName === null ? "" : ` at ${tenantName}`;
  const whose = own ? [] : [`${initiatorName ?? "The system"} asked for it.`];
  return {
    title,
    question: `Cancel “${title}”${where}?`,
    sentences: [...whose, ...describeCancellation(run)],
    address: paths.run(run.id),
  };
}
