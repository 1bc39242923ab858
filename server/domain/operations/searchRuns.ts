import type { Reader } from "../../db/database.ts";
import { contractOf, type OperationName, operationNames } from "./catalog.ts";
import type { RunScope } from "./runScope.ts";

/** What a search text stands for: run ids that begin so, or everything of what has a name like it. */
export type TextMatch =
  | { kind: "ids"; first: string; last: string }
  | {
      kind: "names";
      tenantIds: readonly string[];
      initiatorIds: readonly string[];
      operations: readonly OperationName[];
    };

/** Names looked for; a text that fits more is too short to narrow anything down. */
const nameLimit = 50;

/**
 * Reads a search text as the beginning of a run's id (eight digits or more), else as part of the name of a
 * tenant, a member or an operation. It only chooses among the runs a viewer sees anyway.
 */
export async function matchText(reader: Reader, scope: RunScope, text: string): Promise<TextMatch> {
  const ids = asIds(text);
  if (ids !== null) return ids;
  const rows = await reader.query<{ kind: "tenant" | "person"; id: string }>(
    `(select 'tenant' as kind, t.id from tenants t join tenant_profiles p on p.tenant_id = t.id
      where t.workspace_id = $1 and ($4::uuid[] is null or t.id = any ($4))
        and p.name ilike $2 escape '\\' order by p.name, t.id limit $3)
     union all
     (select 'person', m.user_id from memberships m join user_profiles p on p.user_id = m.user_id
      where m.workspace_id = $1 and p.name ilike $2 escape '\\' order by p.name, m.user_id limit $3)`,
    [scope.workspaceId, `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`, nameLimit, scope.tenantIds],
  );
  const idsOf = (kind: string) => rows.filter((row) => row.kind === kind).map(({ id }) => id);
  const words = text.toLowerCase();
  return {
    kind: "names",
    tenantIds: idsOf("tenant"),
    initiatorIds: idsOf("person"),
    operations: operationNames.filter(
      (name) => name.includes(words) || contractOf(name).title.toLowerCase().includes(words),
    ),
  };
}

function asIds(text: string): TextMatch | null {
  const digits = text.toLowerCase().replaceAll("-", "");
  if (!/^[0-9a-f]{8,32}$/.test(digits)) return null;
  return { kind: "ids", first: asUuid(digits.padEnd(32, "0")), last: asUuid(digits.padEnd(32, "f")) };
}

function asUuid(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
