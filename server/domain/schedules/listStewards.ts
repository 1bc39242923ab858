import type { Reader } from "../../db/database.ts";

export type PossibleSteward = { id: string; name: string };

/** Active members of a workspace who may change schedules somewhere in it, by name; at most 500. */
export function listStewards(reader: Reader, workspaceId: string): Promise<PossibleSteward[]> {
  return reader.query<PossibleSteward>(
    `select u.id, coalesce(p.name, u.email) as name
     from memberships m
     join users u on u.id = m.user_id and u.status = 'active'
     left join user_profiles p on p.user_id = u.id
     where m.workspace_id = $1 and m.status = 'active' and exists (
       select 1 from role_assignments a join roles r on r.id = a.role_id
       where a.user_id = u.id and a.workspace_id = $1 and 'schedule.manage' = any (r.capabilities)
         and (a.expires_at is null or a.expires_at > clock_timestamp()))
     order by lower(coalesce(p.name, u.email)), u.id limit 500`,
    [workspaceId],
  );
}
