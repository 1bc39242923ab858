import type { Reader } from "../../db/database.ts";

/** One assignment of the role to somebody. */
export type Holder = {
  assignmentId: string;
  userId: string;
  name: string;
  /** Null: at all tenants. */
  tenantName: string | null;
  expiresAt: Date | null;
};

const holdersPerPage = 50;

const live = "(a.expires_at is null or a.expires_at > clock_timestamp())";

/**
 * A page of those who hold a role, by name; lapsed assignments hold nothing. `after` is the last assignment of
 * the page before, `next` what to ask for as `after`.
 */
export async function listHolders(
  reader: Reader,
  roleId: string,
  after: string | null,
): Promise<{ holders: Holder[]; next: string | null }> {
  const rows = await reader.query<Holder>(
    `select a.id as "assignmentId", a.user_id as "userId", coalesce(p.name, u.email) as name,
       tp.name as "tenantName", a.expires_at as "expiresAt"
     from role_assignments a
     join users u on u.id = a.user_id
     left join user_profiles p on p.user_id = u.id
     left join tenant_profiles tp on tp.tenant_id = a.tenant_id
     where a.role_id = $1 and ${live}
       and ($2::uuid is null or (lower(coalesce(p.name, u.email)), a.id) > (
         select lower(coalesce(cp.name, cu.email)), ca.id
         from role_assignments ca
         join users cu on cu.id = ca.user_id
         left join user_profiles cp on cp.user_id = cu.id
         where ca.id = $2 and ca.role_id = $1))
     order by lower(coalesce(p.name, u.email)), a.id limit $3`,
    [roleId, after, holdersPerPage + 1],
  );
  const holders = rows.slice(0, holdersPerPage);
  const last = holders.at(-1)?.assignmentId ?? null;
  return { holders, next: rows.length > holdersPerPage ? last : null };
}

/** How many people hold the role, at whatever tenants. */
export async function countHolders(reader: Reader, roleId: string): Promise<number> {
  const [row] = await reader.query<{ people: number }>(
    `select count(distinct a.user_id)::integer as people from role_assignments a
     where a.role_id = $1 and ${live}`,
    [roleId],
  );
  return row?.people ?? 0;
}
