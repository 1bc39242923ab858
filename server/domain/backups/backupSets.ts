import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

/** What a backup could not read, and why: a type of policies, or the names of groups. */
export type Skipped = { type: PolicyType | "groups"; why: string };

/** A backup, or what a run was about to write over or to delete. Its id is also that of the run that took it. */
export type BackupSet = {
  id: string;
  tenantId: string;
  tenantName: string;
  kind: "backup" | "snapshot";
  initiatorName: string | null;
  types: PolicyType[];
  items: number;
  skipped: Skipped[];
  takenAt: Date;
  completedAt: Date | null;
  /** `incomplete`: the run that took it ended before all was in it. */
  state: "complete" | "being_taken" | "incomplete";
};

export type BackupFilters = { tenantId: string | null; kind: BackupSet["kind"] | null };

const backupSetsPerPage = 50;

/** A page of the sets the viewer may see in the present workspace, newest first; `after` is a set's id. */
export async function listBackupSetsFor(
  reader: Reader,
  viewer: Viewer,
  { tenantId, kind }: BackupFilters,
  after: string | null,
): Promise<{ sets: BackupSet[]; next: string | null }> {
  const rows = await reader.query<BackupSet>(
    `select ${setColumns} from backup_sets s ${setJoins}
     where ${inSetScope} and ($3::uuid is null or s.tenant_id = $3) and ($4::text is null or d.kind = $4)
       and ($5::uuid is null or s.id < $5)
     order by s.id desc limit $6`,
    [...scopeOf(viewer), tenantId, kind, after, backupSetsPerPage + 1],
  );
  const sets = rows.slice(0, backupSetsPerPage);
  return { sets, next: rows.length > backupSetsPerPage ? (sets.at(-1)?.id ?? null) : null };
}

/** The set, if the viewer may see backups of its tenant; out of scope reads as absent. */
export async function findBackupSetFor(
  reader: Reader,
  viewer: Viewer,
  setId: string,
): Promise<BackupSet | undefined> {
  const [set] = await reader.query<BackupSet>(
    `select ${setColumns} from backup_sets s ${setJoins} where ${inSetScope} and s.id = $3`,
    [...scopeOf(viewer), setId],
  );
  return set;
}

function scopeOf(viewer: Viewer): unknown[] {
  return [viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "backup.view"))];
}

const inSetScope = "s.workspace_id = $1 and ($2::uuid[] is null or s.tenant_id = any ($2))";

const setColumns = `s.id, s.tenant_id as "tenantId", coalesce(p.name, d.tenant_name) as "tenantName", d.kind,
  d.initiator_name as "initiatorName", d.types, d.items, d.skipped, d.taken_at as "takenAt",
  d.completed_at as "completedAt",
  case when d.completed_at is not null then 'complete' when r.status <> 'completed' then 'being_taken'
    else 'incomplete' end as state`;

const setJoins = `join backup_set_details d on d.set_id = s.id
  left join tenant_profiles p on p.tenant_id = s.tenant_id
  left join operation_runs r on r.id = s.id`;
