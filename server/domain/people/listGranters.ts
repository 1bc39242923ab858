import type { Reader } from "../../db/database.ts";

/** The first few members who can give someone in this workspace a right, by name. */
export async function listGranters(reader: Reader, workspaceId: string): Promise<string[]> {
  const rows = await reader.query<{ name: string }>(
    `select distinct p.name
     from roles r
     join role_assignments a on a.role_id = r.id and a.tenant_id is null
       and (a.expires_at is null or a.expires_at > clock_timestamp())
     join memberships m on m.workspace_id = a.workspace_id and m.user_id = a.user_id and m.status = 'active'
     join users u on u.id = a.user_id and u.status = 'active'
     join user_profiles p on p.user_id = u.id
     where r.workspace_id = $1 and 'member.manage' = any (r.capabilities)
     order by p.name limit 5`,
    [workspaceId],
  );
  return rows.map((row) => row.name);
}
