import type { Reader } from "../../db/database.ts";

export type NamedTenant = {
  id: string;
  name: string;
  workspaceId: string;
  workspaceSlug: string;
  workspaceName: string;
};

/**
 * Tenants by id or by name, whatever its case, of all workspaces or one: for the installation's own commands,
 * which nobody's scope limits. At most 20.
 */
export async function listTenantsNamed(
  reader: Reader,
  nameOrId: string,
  workspaceSlug: string | null,
): Promise<NamedTenant[]> {
  return reader.query<NamedTenant>(
    `select t.id, p.name, w.id as "workspaceId", w.slug as "workspaceSlug", w.name as "workspaceName"
     from tenant_profiles p
     join tenants t on t.id = p.tenant_id
     join workspaces w on w.id = t.workspace_id
     where (lower(p.name) = lower($1) or t.id::text = lower($1)) and ($2::text is null or w.slug = $2)
     order by w.slug, t.id limit 20`,
    [nameOrId.trim(), workspaceSlug],
  );
}
