import type { Reader, Tx } from "../../db/database.ts";
import type { Stopped } from "../operations/countStopped.ts";
import { countStewarded } from "../schedules/countStewarded.ts";
import { type Assignment, listAssignments } from "./assignments.ts";
import { listOnlyOwnedBy } from "./owners.ts";
import { previewDisabledAccount } from "./previewLossOfRights.ts";

/** Who can sign in, across the workspaces they are a member of. For operators of the installation only. */
export type Account = {
  id: string;
  name: string;
  email: string;
  status: "active" | "disabled";
  /** Browsers they are signed in with. */
  sessions: number;
};

export async function findAccount(reader: Reader, email: string): Promise<Account | undefined> {
  const [account] = await reader.query<Account>(
    `select u.id, coalesce(p.name, u.email) as name, u.email, u.status, (
       select count(*)::integer from sessions s
       where s.sess -> 'passport' ->> 'user' = u.id::text and s.expire > clock_timestamp()) as sessions
     from users u left join user_profiles p on p.user_id = u.id
     where lower(u.email) = lower($1)`,
    [email.trim()],
  );
  return account;
}

/** What an account means in one workspace, and what would be stopped there if it were disabled. */
export type AccountAt = {
  workspace: { id: string; name: string };
  assignments: Assignment[];
  stops: Stopped;
  /** How many schedules they answer for would need a new steward. */
  schedules: number;
  /** Nobody else is an owner there. */
  isLastOwner: boolean;
};

/** The workspaces of an account, by name. Takes no locks and promises nothing. */
export async function previewDisabling(reader: Reader, userId: string): Promise<AccountAt[]> {
  const onlyOwned = await listOnlyOwnedBy(reader, userId);
  const found: AccountAt[] = [];
  for (const workspace of await listWorkspacesOf(reader, userId)) {
    const person = { workspaceId: workspace.id, userId };
    const assignments = await listAssignments(reader, workspace.id, userId);
    found.push({
      workspace,
      assignments,
      stops: await previewDisabledAccount(reader, person),
      schedules: await countStewarded(reader, person, assignments, []),
      isLastOwner: onlyOwned.some(({ id }) => id === workspace.id),
    });
  }
  return found;
}

function listWorkspacesOf(reader: Reader, userId: string): Promise<{ id: string; name: string }[]> {
  return reader.query(
    `select w.id, w.name from memberships m join workspaces w on w.id = m.workspace_id
     where m.user_id = $1 order by lower(w.name), w.id`,
    [userId],
  );
}

/** Signs the person out everywhere. Returns how many browsers that were. */
export async function endSessionsOf(tx: Tx, userId: string): Promise<number> {
  const ended = await tx.query("delete from sessions where sess -> 'passport' ->> 'user' = $1 returning 1", [
    userId,
  ]);
  return ended.length;
}
