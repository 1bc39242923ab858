import { z } from "zod";
import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import { stateBadges } from "../domain/people/describeMember.ts";
import { type ListedMember, listMembers } from "../domain/people/members.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { SearchText } from "./searchText.ts";
import { workspaceOf } from "./workspaceOf.ts";

const Query = z.object({
  search: SearchText,
  after: Id.nullable().catch(null),
});

export type MembersQuery = z.infer<typeof Query>;

export function parseMembersQuery(query: unknown): MembersQuery {
  return Query.parse(query);
}

type MemberRow = { id: string; name: string; email: string; badge: Badge; roles: string[] };

export type MembersPage = {
  workspaceName: string;
  search: string;
  rows: MemberRow[];
  pages: { first: string | null; next: string | null };
};

export async function readMembersPage(
  reader: Reader,
  viewer: Viewer,
  { search, after }: MembersQuery,
): Promise<MembersPage> {
  const workspace = workspaceOf(viewer);
  const found = await listMembers(reader, { workspaceId: workspace.id, search, after });
  return {
    workspaceName: workspace.name,
    search: search ?? "",
    rows: found.members.map(toRow),
    pages: {
      first: after === null ? null : withQuery(paths.members, { search }),
      next: found.next === null ? null : withQuery(paths.members, { search, after: found.next }),
    },
  };
}

function toRow({ userId, name, email, state, roles, roleCount }: ListedMember): MemberRow {
  const named = roles.map((role) => `${role.name} at ${role.tenantName ?? "all tenants"}`);
  const rest = roleCount > roles.length ? [`and ${roleCount - roles.length} more`] : [];
  return { id: userId, name, email, badge: stateBadges[state], roles: [...named, ...rest] };
}
