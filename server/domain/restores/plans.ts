import type { Reader } from "../../db/database.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";
import type { RestoreOptions } from "./options.ts";

/** What a restore was previewed to do. Its id is also that of the run that made the preview. */
export type RestorePlan = {
  id: string;
  tenantId: string;
  tenantName: string;
  sourceSetId: string;
  sourceTenantId: string;
  sourceTenantName: string;
  /** Null when the set is gone. */
  sourceKind: "backup" | "snapshot" | null;
  options: RestoreOptions;
  items: number;
  createdAt: Date;
  /** Both null until the preview is finished and frozen. */
  completedAt: Date | null;
  digest: string | null;
  /** The run that carries it out, or did. */
  runId: string | null;
  /** What was found to have moved since; null while nothing was. */
  staleReason: string | null;
};

/** The plan, if the viewer may preview restores at its tenant and see backups of the one it takes from. */
export async function findPlanFor(
  reader: Reader,
  viewer: Viewer,
  planId: string,
): Promise<RestorePlan | undefined> {
  const [plan] = await reader.query<RestorePlan>(
    `select p.id, p.tenant_id as "tenantId", coalesce(t.name, p.tenant_id::text) as "tenantName",
       p.source_set_id as "sourceSetId", p.source_tenant_id as "sourceTenantId",
       coalesce(st.name, p.source_tenant_id::text) as "sourceTenantName", d.kind as "sourceKind", p.options,
       p.items, p.created_at as "createdAt", p.completed_at as "completedAt", p.digest, p.run_id as "runId",
       p.stale_reason as "staleReason"
     from restore_plans p
     left join tenant_profiles t on t.tenant_id = p.tenant_id
     left join tenant_profiles st on st.tenant_id = p.source_tenant_id
     left join backup_set_details d on d.set_id = p.source_set_id
     where p.id = $1 and p.workspace_id = $2 and ($3::uuid[] is null or p.tenant_id = any ($3))
       and ($4::uuid[] is null or p.source_tenant_id = any ($4))`,
    [
      planId,
      viewer.workspace?.id ?? null,
      tenantIdsOrNull(tenantScope(viewer, "restore.preview")),
      tenantIdsOrNull(tenantScope(viewer, "backup.view")),
    ],
  );
  return plan;
}

/** The plan that a restore carries out. Whoever may see the run may see what it did. */
export async function findPlanOfRun(reader: Reader, runId: string): Promise<string | undefined> {
  const [plan] = await reader.query<{ id: string }>("select id from restore_plans where run_id = $1", [
    runId,
  ]);
  return plan?.id;
}
