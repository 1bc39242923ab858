import { z } from "zod";
import { digestOfAssignments } from "../../server/domain/backups/assignment.ts";
import { addGroups } from "../../server/domain/bulk/addGroups.ts";
import { type ItemToWork, keepGroups, type MeantGroup } from "../../server/domain/bulk/execution.ts";
import {
  recordSettledPolicy,
  refuseSelected,
  type SelectedNote,
  settleSelected,
} from "../../server/domain/bulk/settleSelected.ts";
import type { ProviderPolicy } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { findMeantGroups } from "../bulk/meantGroups.ts";
import { type Working, workThrough } from "../bulk/workThrough.ts";
import { type Look, makePatience } from "../lookPatiently.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({
  selectionId: z.uuid(),
  digest: z.string(),
  include: z.array(z.string()),
  exclude: z.array(z.string()),
});

/** Assigns selected policies to groups besides those they have, or leaves groups out, one policy at a time. */
export const policiesBulkAssign = withReauthorization(
  "policies.bulk_assign",
  async (run) => {
    const asked = target.parse(run.target);
    return workThrough(run, asked, async (working) => {
      const groups = await meantGroups(working, asked);
      const look = makePatience();
      return groups === null
        ? null
        : (item, present) => assign({ run, selectionId: asked.selectionId, groups, look }, item, present);
    });
  },
  { recordSettled: recordSettledPolicy },
);

/** Found once: a later attempt takes those that the first one found. Null when they cannot be told. */
async function meantGroups(
  { run, provider, selection }: Working,
  asked: z.infer<typeof target>,
): Promise<readonly MeantGroup[] | null> {
  if (selection.groups !== null) return selection.groups;
  const found = await findMeantGroups(provider, asked, run.signal);
  if ("problem" in found) {
    await run.effect("refused", (tx) => refuseSelected(tx, selection.id, found.problem));
    return null;
  }
  await run.effect("groups", (tx) => keepGroups(tx, selection.id, found.groups));
  return found.groups;
}

type Assigning = { run: AuthorizedRun; selectionId: string; groups: readonly MeantGroup[]; look: Look };

async function assign(
  { run, selectionId, groups, look }: Assigning,
  item: ItemToWork,
  present: ProviderPolicy,
): Promise<void> {
  const { position, type, matchKey } = item;
  const { provider, model } = await run.connect();
  const { assignments, notes } = addGroups(present.assignments ?? [], groups);
  const note: SelectedNote = { selectionId, position, notes };
  if (assignments === null) {
    await run.effect(`item:${position}:unchanged`, (tx) => settleSelected(tx, note, "unchanged", null));
    return;
  }
  const calls = model.planWrites(type, present.normalised, assignments, { id: present.id, present });
  const before = digestOfAssignments(present.assignments ?? []);
  const after = digestOfAssignments(assignments);
  for (const write of calls) {
    const name = `item:${position}:${write.action}`;
    const settled = await run.providerEffect({ name, write, matchKey, before, after, item: note });
    if (settled.state !== "done") return;
  }
  const reads = await look(
    async () =>
      digestOfAssignments((await provider.readPolicy(type, present.id, run.signal))?.assignments ?? null),
    (digest) => digest === after,
    run.signal,
  );
  if (reads !== after)
    await run.effect(`item:${position}:differs`, (tx) =>
      settleSelected(tx, note, "failed", "Written, but it reads back with other assignments"),
    );
}
