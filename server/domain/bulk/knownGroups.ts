import type { Reader } from "../../db/database.ts";

const mostNames = 30;

/** Names of groups that the newest complete backup of a tenant names, to choose from; at most 30. */
export async function listKnownGroups(reader: Reader, tenantId: string): Promise<string[]> {
  const rows = await reader.query<{ name: string }>(
    `select distinct g.value as name
     from (
       select b.id from backup_sets b join backup_set_details d on d.set_id = b.id
       where b.tenant_id = $1 and d.kind = 'backup' and d.completed_at is not null
       order by b.id desc limit 1) newest
     join backup_items i on i.set_id = newest.id
     cross join lateral jsonb_each_text(coalesce(i.refers -> 'groups', '{}')) g
     order by 1 limit $2`,
    [tenantId, mostNames],
  );
  return rows.map(({ name }) => name);
}
