import type { Reader } from "../../db/database.ts";
import type { Actor } from "../audit/recordAudit.ts";

/** Whose address it is, whatever its case; for the installation's own commands. Says nothing of their rights. */
export async function findPersonByEmail(reader: Reader, email: string): Promise<Actor | undefined> {
  const [person] = await reader.query<Actor>(
    `select u.id, coalesce(p.name, u.email) as name
     from users u left join user_profiles p on p.user_id = u.id
     where lower(u.email) = lower($1)`,
    [email.trim()],
  );
  return person;
}
