import type { Db, Tx } from "../../db/database.ts";
import { inEach } from "../audit/inEach.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { Conflict, NotFound } from "../errors.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import type { Drained } from "../revocation/drainWrites.ts";
import { type AccountAt, endSessionsOf, previewDisabling } from "./accounts.ts";
import { listOnlyOwnedBy, lockOwnersOf } from "./owners.ts";

/** What was done, workspace by workspace, and what became of the writing calls that were under way. */
export type DisablingReceipt = { at: AccountAt[]; sessions: number; drained: Drained };

/**
 * Disables an account: nobody signs in with it, its sessions end, and nothing happens under its rights any
 * more, in whichever workspace. An authority change: once this has returned, that holds. `leavesWithoutOwner`:
 * also where a workspace is left without any. Throws `Conflict` where one would be and that was not said, and
 * for an account that is disabled already.
 */
export async function disableAccount(
  db: Db,
  { userId, leavesWithoutOwner }: { userId: string; leavesWithoutOwner: boolean },
): Promise<DisablingReceipt> {
  const at = await previewDisabling(db, userId);
  const { value: sessions, drained } = await changeAuthority(
    db,
    [{ kind: "user", id: userId }],
    async (tx) => {
      await lockOwnersOf(tx, userId);
      const orphaned = await listOnlyOwnedBy(tx, userId);
      if (orphaned.length > 0 && !leavesWithoutOwner) throw new Conflict(lastOwnerWords(orphaned));
      await setStatus(tx, userId, "disabled");
      const ended = await endSessionsOf(tx, userId);
      await recordStatus(tx, userId, "disabled", { sessionsEnded: ended }, (workspaceId) => ({
        stops: at.find((place) => place.workspace.id === workspaceId)?.stops ?? null,
        leftWithoutOwner: orphaned.some(({ id }) => id === workspaceId),
      }));
      return ended;
    },
  );
  return { at, sessions, drained };
}

/**
 * Lets an account be used again, with the roles it had. What was blocked stays so. Throws `Conflict` for one
 * that is not disabled.
 */
export async function enableAccount(db: Db, userId: string): Promise<void> {
  await changeAuthority(
    db,
    [{ kind: "user", id: userId }],
    async (tx) => {
      await setStatus(tx, userId, "active");
      // A request that was under way as they were ended may have kept one.
      await endSessionsOf(tx, userId);
      await recordStatus(tx, userId, "active", {}, () => ({}));
    },
    { takesNothingAway: true },
  );
}

/** "Northwind would have no owner any more." */
export function lastOwnerWords(workspaces: readonly { name: string }[]): string {
  const names = new Intl.ListFormat("en-GB").format(workspaces.map(({ name }) => name));
  return `${names} would have no owner any more. Make somebody else an owner there first.`;
}

async function setStatus(tx: Tx, userId: string, to: "active" | "disabled"): Promise<void> {
  const [account] = await tx.query<{ status: string }>("select status from users where id = $1", [userId]);
  if (account === undefined) throw new NotFound();
  if (account.status === to) throw new Conflict(`The account is ${to} already.`);
  await tx.query("update users set status = $2 where id = $1", [userId, to]);
}

/** In the trail of every workspace of the person, each with what concerns it alone. */
async function recordStatus(
  tx: Tx,
  userId: string,
  to: "active" | "disabled",
  details: Record<string, unknown>,
  detailsAt: (workspaceId: string) => Record<string, unknown>,
): Promise<void> {
  const rows = await tx.query<{ id: string }>(
    "select workspace_id as id from memberships where user_id = $1 order by workspace_id",
    [userId],
  );
  const event: AuditEvent = {
    workspaceId: null,
    tenantId: null,
    actor: null,
    action: to === "disabled" ? "account.disabled" : "account.enabled",
    subject: { type: "user", id: userId },
    outcome: "done",
  };
  const before = to === "disabled" ? "active" : "disabled";
  const events = inEach(
    rows.map(({ id }) => id),
    event,
  ).map((one) => ({
    ...one,
    details: {
      before,
      after: to,
      ...details,
      ...(one.workspaceId === null ? {} : detailsAt(one.workspaceId)),
    },
  }));
  await recordAudit(tx, ...events);
}
