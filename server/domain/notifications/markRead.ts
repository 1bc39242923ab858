import type { Tx } from "../../db/database.ts";

/** Somebody else's notification is left alone. */
export async function markRead(tx: Tx, userId: string, notificationId: string): Promise<void> {
  await tx.query(
    `update notifications set read_at = clock_timestamp() where id = $2 and user_id = $1 and read_at is null`,
    [userId, notificationId],
  );
}

export async function markAllRead(tx: Tx, userId: string): Promise<void> {
  await tx.query(
    `update notifications set read_at = clock_timestamp() where user_id = $1 and read_at is null`,
    [userId],
  );
}
