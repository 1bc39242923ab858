import type { Reader } from "../../db/database.ts";

/** How many notifications someone has not read; counts to 100 and no further. */
export async function countUnread(reader: Reader, userId: string): Promise<number> {
  const [row] = await reader.query<{ unread: number }>(
    `select count(*)::int as unread
     from (select 1 from notifications where user_id = $1 and read_at is null limit 100) as newest`,
    [userId],
  );
  return row?.unread ?? 0;
}
