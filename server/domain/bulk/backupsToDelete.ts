import type { Reader } from "../../db/database.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";
import { Invalid } from "../errors.ts";
import { leftOfBackupDeletion } from "./leftOfRun.ts";
import { mostSelected } from "./selections.ts";

/** Backups one by one, those left of an earlier run's, or all of a tenant that a list with these filters shows. */
export type BackupsChosen =
  | { ids: readonly string[] }
  | { again: string }
  | { matching: { tenantId: string; kind: "backup" | "snapshot" | null } };

export type BackupsToDelete = {
  tenantId: string;
  tenantName: string;
  setIds: string[];
  /** Policies that are in them. */
  items: number;
  oldest: Date;
  newest: Date;
  /** Of those chosen: how many are still being taken and stay. */
  beingTaken: number;
  /** How many open runs rely on them and will be stopped. */
  reliedOn: number;
};

type Found = {
  id: string;
  tenantId: string;
  tenantName: string;
  items: number;
  takenAt: Date;
  isBeingTaken: boolean;
  reliedOn: number;
};

/** What deleting them would delete. Throws `Invalid` (`sets`) for what cannot be deleted together. */
export async function findBackupsToDelete(
  reader: Reader,
  viewer: Viewer,
  chosen: BackupsChosen,
): Promise<BackupsToDelete> {
  const found = await listChosen(reader, viewer, chosen);
  if (found.length > mostSelected)
    throw new Invalid({ sets: `Choose at most ${mostSelected} backups at a time.` });
  const usable = found.filter(({ isBeingTaken }) => !isBeingTaken);
  const [first] = usable;
  if (first === undefined) throw new Invalid({ sets: "Choose at least one backup that is not being taken." });
  if (usable.some(({ tenantId }) => tenantId !== first.tenantId))
    throw new Invalid({ sets: "Choose backups of one tenant at a time." });
  const times = usable.map(({ takenAt }) => takenAt.getTime());
  return {
    tenantId: first.tenantId,
    tenantName: first.tenantName,
    setIds: usable.map(({ id }) => id),
    items: usable.reduce((sum, { items }) => sum + items, 0),
    oldest: new Date(Math.min(...times)),
    newest: new Date(Math.max(...times)),
    beingTaken: found.length - usable.length,
    reliedOn: usable.reduce((sum, { reliedOn }) => sum + reliedOn, 0),
  };
}

async function listChosen(reader: Reader, viewer: Viewer, chosen: BackupsChosen): Promise<Found[]> {
  const matching = "matching" in chosen ? chosen.matching : null;
  const left = "again" in chosen ? (await leftOfBackupDeletion(reader, viewer, chosen.again)).ids : null;
  return reader.query<Found>(
    `select s.id, s.tenant_id as "tenantId", coalesce(p.name, d.tenant_name) as "tenantName", d.items,
       d.taken_at as "takenAt", coalesce(r.status <> 'completed', false) as "isBeingTaken", (
         select count(*)::integer from operation_runs o
         where o.backup_set_id = s.id and o.status <> 'completed') as "reliedOn"
     from backup_sets s join backup_set_details d on d.set_id = s.id
     left join tenant_profiles p on p.tenant_id = s.tenant_id
     left join operation_runs r on r.id = s.id
     where s.workspace_id = $1 and ($2::uuid[] is null or s.tenant_id = any ($2))
       and ($3::uuid[] is null or s.id = any ($3)) and ($4::uuid is null or s.tenant_id = $4)
       and ($5::text is null or d.kind = $5)
     order by s.id limit $6`,
    [
      viewer.workspace?.id ?? null,
      tenantIdsOrNull(tenantScope(viewer, "backup.view")),
      "ids" in chosen ? chosen.ids : left,
      matching?.tenantId ?? null,
      matching?.kind ?? null,
      mostSelected + 1,
    ],
  );
}
