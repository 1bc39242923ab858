import { z } from "zod";
import { recordSettledPolicy, type SelectedNote } from "../../server/domain/bulk/settleSelected.ts";
import { workThrough } from "../bulk/workThrough.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({ selectionId: z.uuid(), digest: z.string() });

/** Deletes selected policies, one at a time, each kept before in the run's snapshot. */
export const policiesBulkDelete = withReauthorization(
  "policies.bulk_delete",
  async (run) => {
    const { selectionId, digest } = target.parse(run.target);
    return workThrough(run, { selectionId, digest }, async () => async (item) => {
      const { position, type, providerId, matchKey } = item;
      await run.providerEffect({
        name: `item:${position}:delete`,
        write: { action: "delete", type, id: providerId, body: {} },
        matchKey,
        before: null,
        after: null,
        item: { selectionId, position, notes: [] } satisfies SelectedNote,
      });
    });
  },
  { recordSettled: recordSettledPolicy },
);
