import type { Reader } from "../../db/database.ts";
import { type Assignment, listAssignments } from "./assignments.ts";

export type MemberSummary = {
  userId: string;
  name: string;
  email: string;
  /** Only `active` grants anything; the account's state comes before the membership's. */
  state: "active" | "suspended" | "disabled";
};

export type Member = MemberSummary & { since: Date; assignments: Assignment[] };

/** In a list: the first few of their roles, and how many there are. */
export type ListedMember = MemberSummary & {
  roles: { name: string; tenantName: string | null }[];
  roleCount: number;
};

const memberColumns = `m.user_id as "userId", coalesce(p.name, u.email) as name, u.email,
  case when u.status = 'disabled' then 'disabled' else m.status end as state`;

/** Undefined when the person is no member of the workspace. */
export async function findMember(
  reader: Reader,
  workspaceId: string,
  userId: string,
): Promise<Member | undefined> {
  const [found] = await reader.query<MemberSummary & { since: Date }>(
    `select ${memberColumns}, m.created_at as since
     from memberships m
     join users u on u.id = m.user_id
     left join user_profiles p on p.user_id = u.id
     where m.workspace_id = $1 and m.user_id = $2`,
    [workspaceId, userId],
  );
  if (found === undefined) return undefined;
  return { ...found, assignments: await listAssignments(reader, workspaceId, userId) };
}

export type MemberQuery = {
  workspaceId: string;
  /** Part of a name or address; null for everybody. */
  search: string | null;
  /** The last person of the page before. */
  after: string | null;
};

export const membersPerPage = 50;

/** A page of members by name. `next` is what to ask for as `after`; null on the last page. */
export async function listMembers(
  reader: Reader,
  { workspaceId, search, after }: MemberQuery,
): Promise<{ members: ListedMember[]; next: string | null }> {
  const rows = await reader.query<ListedMember>(
    `select ${memberColumns}, coalesce(held.roles, '[]') as roles, coalesce(held.total, 0) as "roleCount"
     from memberships m
     join users u on u.id = m.user_id
     left join user_profiles p on p.user_id = u.id
     left join lateral (
       select jsonb_agg(jsonb_build_object('name', a.role, 'tenantName', a.tenant) order by a.rank)
         filter (where a.rank <= 3) as roles, count(*)::integer as total
       from (
         select r.name as role, tp.name as tenant,
           row_number() over (order by ra.tenant_id is not null, lower(tp.name), ra.id) as rank
         from role_assignments ra
         join roles r on r.id = ra.role_id
         left join tenant_profiles tp on tp.tenant_id = ra.tenant_id
         where ra.user_id = m.user_id and ra.workspace_id = m.workspace_id
           and (ra.expires_at is null or ra.expires_at > clock_timestamp())
       ) a
     ) held on true
     where m.workspace_id = $1
       and ($2::text is null or strpos(lower(coalesce(p.name, '') || ' ' || u.email), lower($2)) > 0)
       and ($3::uuid is null or (lower(coalesce(p.name, u.email)), m.user_id) > (
         select lower(coalesce(cp.name, cu.email)), cu.id
         from memberships cm
         join users cu on cu.id = cm.user_id
         left join user_profiles cp on cp.user_id = cu.id
         where cm.workspace_id = $1 and cm.user_id = $3))
     order by lower(coalesce(p.name, u.email)), m.user_id
     limit $4`,
    [workspaceId, search, after, membersPerPage + 1],
  );
  const members = rows.slice(0, membersPerPage);
  return { members, next: rows.length > membersPerPage ? (members.at(-1)?.userId ?? null) : null };
}
