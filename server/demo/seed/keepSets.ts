import type { Tx } from "../../db/database.ts";
import { beginBackup, completeBackup, recordBackupPage } from "../../domain/backups/recordBackup.ts";
import type { ReferredNames } from "../../domain/backups/references.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { ProviderPolicy } from "../../provider/port.ts";
import type { ToldRun } from "./tellRun.ts";

export type Policies = ReadonlyMap<PolicyType, readonly ProviderPolicy[]>;

export function ofType(policies: Policies, type: PolicyType): readonly ProviderPolicy[] {
  return policies.get(type) ?? [];
}

/** Keeps what a past run took, as the product does, and says that it was then. */
export async function keepSet(
  tx: Tx,
  run: ToldRun,
  kind: "backup" | "snapshot",
  kept: { policies: Policies; names: ReferredNames },
): Promise<void> {
  const taking = { runId: run.id, fencingToken: "1", tenantId: run.tenant.id };
  const types = policyTypes.filter((type) => ofType(kept.policies, type).length > 0);
  await beginBackup(tx, taking, kind, types);
  for (const type of types) await recordBackupPage(tx, taking, type, ofType(kept.policies, type), kept.names);
  await completeBackup(tx, taking, []);
  await tx.query("update backup_set_details set taken_at = $2, completed_at = $3 where set_id = $1", [
    run.id,
    run.begunAt[0] ?? run.completedAt,
    run.completedAt,
  ]);
}
