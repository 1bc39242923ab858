import type { Reader } from "../../db/database.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

export type PossibleSteward = { id: string; name: string };

/**
 * Active members who may change schedules somewhere that the viewer may, too, by name; at most 500. Of the others
 * the viewer learns nothing, not even by naming one as `only`.
 */
export function listStewards(
  reader: Reader,
  viewer: Viewer,
  only: string | null = null,
): Promise<PossibleSteward[]> {
  return reader.query<PossibleSteward>(
    `select u.id, coalesce(p.name, u.email) as name
     from memberships m
     join users u on u.id = m.user_id and u.status = 'active'
     left join user_profiles p on p.user_id = u.id
     where m.workspace_id = $1 and m.status = 'active' and ($3::uuid is null or u.id = $3) and exists (
       select 1 from role_assignments a join roles r on r.id = a.role_id
       where a.user_id = u.id and a.workspace_id = $1 and 'schedule.manage' = any (r.capabilities)
         and (a.tenant_id is null or $2::uuid[] is null or a.tenant_id = any ($2))
         and (a.expires_at is null or a.expires_at > clock_timestamp()))
     order by lower(coalesce(p.name, u.email)), u.id limit 500`,
    [viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "schedule.manage")), only],
  );
}
