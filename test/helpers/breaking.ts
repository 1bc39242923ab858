import type { Db } from "../../server/db/database.ts";

/** While something runs, a table of the database takes no new row that does not meet the condition. */
export async function breaking<T>(
  db: Db,
  table: string,
  condition: string,
  during: () => Promise<T>,
): Promise<T> {
  await db.query(`alter table ${table} add constraint broken check (${condition}) not valid`);
  try {
    return await during();
  } finally {
    await db.query(`alter table ${table} drop constraint broken`);
  }
}
