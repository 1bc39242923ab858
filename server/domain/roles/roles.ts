import type { Reader } from "../../db/database.ts";
import { NotFound } from "../errors.ts";
import type { Role } from "../people/assignments.ts";

/** A role of a workspace. What is built in can be given and copied, and stays as it is. */
export type KeptRole = Role & { builtIn: boolean };

/** How many a workspace may have: lists and forms show them all. */
export const rolesPerWorkspace = 200;

const columns = `r.id, r.name, r.capabilities, r.built_in as "builtIn"`;

/** The workspace's roles, those that allow most first. */
export async function listRoles(reader: Reader, workspaceId: string): Promise<KeptRole[]> {
  return reader.query<KeptRole>(
    `select ${columns} from roles r where r.workspace_id = $1
     order by cardinality(r.capabilities) desc, lower(r.name), r.id limit $2`,
    [workspaceId, rolesPerWorkspace],
  );
}

/** In a list: how many people hold it, at whatever tenants. Lapsed assignments hold nothing. */
export type ListedRole = KeptRole & { holders: number };

export async function listRolesWithHolders(reader: Reader, workspaceId: string): Promise<ListedRole[]> {
  return reader.query<ListedRole>(
    `select ${columns}, (
       select count(distinct a.user_id)::integer from role_assignments a
       where a.role_id = r.id and (a.expires_at is null or a.expires_at > clock_timestamp())) as holders
     from roles r where r.workspace_id = $1
     order by cardinality(r.capabilities) desc, lower(r.name), r.id limit $2`,
    [workspaceId, rolesPerWorkspace],
  );
}

export async function findRole(
  reader: Reader,
  workspaceId: string,
  roleId: string,
): Promise<KeptRole | undefined> {
  const [role] = await reader.query<KeptRole>(
    `select ${columns} from roles r where r.workspace_id = $1 and r.id = $2`,
    [workspaceId, roleId],
  );
  return role;
}

/** Throws `NotFound` when the workspace has no such role. */
export async function getRole(reader: Reader, workspaceId: string, roleId: string): Promise<KeptRole> {
  const role = await findRole(reader, workspaceId, roleId);
  if (role === undefined) throw new NotFound();
  return role;
}
