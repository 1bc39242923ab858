import type { Db, Reader } from "../../db/database.ts";
import { inEach } from "../audit/inEach.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { passwordFits } from "./passwords.ts";

/** The account's id, or undefined. Wrong password, disabled and unknown address cost and answer the same. */
export async function signIn(
  db: Db,
  given: { email: string; password: string },
): Promise<{ id: string } | undefined> {
  const account = await findAccount(db, given.email);
  const fits = await passwordFits(account?.passwordHash ?? undefined, given.password);
  const welcome = fits && account?.status === "active";
  await db.transaction((tx) => recordAudit(tx, ...entriesFor(account, fits)));
  return welcome ? { id: account.id } : undefined;
}

export async function recordSignOut(db: Db, user: { id: string; name: string }): Promise<void> {
  const workspaceIds = await listWorkspacesOf(db, user.id);
  await db.transaction((tx) =>
    recordAudit(tx, ...inEach(workspaceIds, { ...sessionEvent(user), action: "session.signed_out" })),
  );
}

type Account = {
  id: string;
  name: string;
  status: "active" | "disabled";
  passwordHash: string | null;
  workspaceIds: string[];
};

async function findAccount(reader: Reader, email: string): Promise<Account | undefined> {
  const [account] = await reader.query<Account>(
    `select u.id, coalesce(p.name, u.email) as name, u.status, c.password_hash as "passwordHash",
       array(select m.workspace_id from memberships m where m.user_id = u.id and m.status = 'active'
         order by m.workspace_id limit 100) as "workspaceIds"
     from users u
     left join user_profiles p on p.user_id = u.id
     left join user_credentials c on c.user_id = u.id
     where lower(u.email) = lower($1)`,
    [email],
  );
  return account;
}

async function listWorkspacesOf(reader: Reader, userId: string): Promise<string[]> {
  const rows = await reader.query<{ id: string }>(
    `select workspace_id as id from memberships where user_id = $1 and status = 'active'
     order by workspace_id limit 100`,
    [userId],
  );
  return rows.map((row) => row.id);
}

function entriesFor(account: Account | undefined, fits: boolean): AuditEvent[] {
  // Whoever typed an unknown address may have typed something private: nothing of it is kept.
  if (account === undefined) return inEach([], { ...sessionEvent(null), ...refused("unknown address") });
  const event = sessionEvent(account);
  if (!fits) return inEach(account.workspaceIds, { ...event, ...refused("wrong password") });
  if (account.status !== "active") return inEach(account.workspaceIds, { ...event, ...refused("disabled") });
  return inEach(account.workspaceIds, { ...event, action: "session.signed_in" });
}

function sessionEvent(user: { id: string; name: string } | null): AuditEvent {
  return {
    workspaceId: null,
    tenantId: null,
    actor: user === null ? null : { id: user.id, name: user.name },
    action: "session.signed_in",
    subject: { type: "session", id: user?.id ?? null },
    outcome: "done",
  };
}

function refused(cause: string) {
  return { action: "session.refused", outcome: "denied", actor: null, details: { cause } } as const;
}
