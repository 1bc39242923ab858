import type { Tx } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ProviderPolicy } from "../../provider/port.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import { beginBackup, recordBackupPage, type Taking } from "./recordBackup.ts";
import type { ReferredNames } from "./references.ts";

/**
 * Keeps an object as it is before a run writes over it or deletes it, in a set that has the run's id. Such a set is
 * complete at every moment: what is not in it has not been written over.
 */
export async function recordSnapshot(
  tx: Tx,
  taking: Taking,
  kept: { types: readonly PolicyType[]; type: PolicyType; policy: ProviderPolicy },
  names: ReferredNames,
): Promise<EffectSummary> {
  await beginBackup(tx, taking, "snapshot", kept.types);
  await recordBackupPage(tx, taking, kept.type, [kept.policy], names);
  await tx.query(
    `update backup_set_details set items = items + 1, completed_at = clock_timestamp() where set_id = $1`,
    [taking.runId],
  );
  return { items: 0, counts: {} };
}
