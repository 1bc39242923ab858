import type { Db, Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import { Conflict, Invalid } from "../errors.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { type AuthoritySubject, changeAuthority } from "../revocation/changeAuthority.ts";
import { countQueued, deleteHold, findHold, type HoldPlace, insertHold } from "./holdRows.ts";
import { getLockedTenant } from "./lockedTenant.ts";
import { wakeHeldRuns, wakeTheRest } from "./wakeHeldRuns.ts";

export type HoldRequest = HoldPlace & { actor: Actor };

/**
 * Pauses the queue of a tenant, or of a whole workspace when no tenant is named: waiting runs stay queued,
 * running ones go on. `forHours` ends the hold by itself. Throws `Invalid` without a usable reason, `Conflict`
 * when it is held already or the tenant is archived, `Forbidden` without `tenant.hold` there (for a workspace:
 * at all its tenants).
 */
export async function placeHold(
  db: Db,
  request: HoldRequest & { reason: string; forHours?: number },
): Promise<void> {
  const reason = request.reason.trim();
  const what = request.tenantId === null ? "workspace" : "tenant";
  if (reason === "") throw new Invalid({ reason: `Say why: whoever finds the ${what} held reads it.` });
  if (reason.length > 500) throw new Invalid({ reason: "Keep the reason to 500 characters." });
  if (/[^\P{Cc}\t\r\n]/u.test(reason))
    throw new Invalid({ reason: "It has characters that cannot be shown. Type the reason again." });
  await changeHold(db, request, (tx) => placeIn(tx, { ...request, reason }));
}

/** What releasing did: runs that waited are on their way again, or there was nothing to release. */
export type Released = { kind: "released"; runs: number } | { kind: "not_held" };

/**
 * Ends a hold. What waited for it is queued again, the first batch in the same transaction, each run to be
 * authorized afresh when it begins. Throws `Forbidden` without `tenant.hold` there.
 */
export async function releaseHold(db: Db, request: HoldRequest): Promise<Released> {
  const released = await changeHold(db, request, (tx) => releaseIn(tx, request));
  if (released.kind === "not_held") return released;
  return { kind: "released", runs: await wakeTheRest(db, request, released.runs) };
}

/** Does something about a hold under its key, as somebody who may; a hold takes nothing from what runs. */
export async function changeHold<T>(db: Db, request: HoldRequest, work: (tx: Tx) => Promise<T>): Promise<T> {
  const { actor, workspaceId, tenantId } = request;
  const { value } = await changeAuthority(
    db,
    [subjectOf(request)],
    async (tx) => {
      await actAs(tx, actor, { workspaceId, tenantId }, "tenant.hold");
      return work(tx);
    },
    { relyingOn: authorityOf(actor, workspaceId), takesNothingAway: true },
  );
  return value;
}

function subjectOf({ workspaceId, tenantId }: HoldPlace): AuthoritySubject {
  return tenantId === null ? { kind: "workspace", id: workspaceId } : { kind: "tenant", id: tenantId };
}

async function placeIn(tx: Tx, request: HoldRequest & { reason: string; forHours?: number }): Promise<void> {
  const { actor, reason, forHours = null } = request;
  const name = await nameOf(tx, request);
  const placed = await insertHold(tx, request, { reason, by: actor, forHours });
  if (placed === undefined) throw await alreadyHeld(tx, name, request);
  const after = { reason, until: placed.until };
  const runs = await countQueued(tx, request);
  await recordHold(tx, request, { what: "held", before: null, after, runs });
}

async function nameOf(tx: Tx, { workspaceId, tenantId }: HoldPlace): Promise<string> {
  if (tenantId === null) return "The workspace";
  const tenant = await getLockedTenant(tx, workspaceId, tenantId);
  if (tenant.lifecycle === "archived")
    throw new Conflict(`${tenant.name} is archived: nothing runs there that could be held.`);
  return tenant.name;
}

async function alreadyHeld(tx: Tx, name: string, place: HoldPlace): Promise<Conflict> {
  const hold = await findHold(tx, place);
  return new Conflict(
    `${name} is on hold already, by ${hold?.by ?? "somebody else"}: “${hold?.reason ?? ""}”.`,
  );
}

async function releaseIn(tx: Tx, request: HoldRequest): Promise<Released> {
  const held = await deleteHold(tx, request);
  if (held === undefined) return { kind: "not_held" };
  const waiting = await countQueued(tx, request);
  const runs = await wakeHeldRuns(tx, request);
  const { at: _at, ...before } = held;
  await recordHold(tx, request, { what: "released", before, after: null, runs: waiting });
  return { kind: "released", runs };
}

async function recordHold(
  tx: Tx,
  { actor, workspaceId, tenantId }: HoldRequest,
  { what, ...details }: { what: "held" | "released"; before: unknown; after: unknown; runs: number },
): Promise<void> {
  const type = tenantId === null ? "workspace" : "tenant";
  await recordAudit(tx, {
    workspaceId,
    tenantId,
    actor,
    action: `${type}.${what}`,
    subject: { type, id: tenantId ?? workspaceId },
    outcome: "done",
    details,
  });
}
