import type { Db, Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import { Conflict, Invalid } from "../errors.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import { getLockedTenant } from "./lockedTenant.ts";
import { wakeHeldRuns } from "./wakeHeldRuns.ts";

type HoldRequest = { actor: Actor; workspaceId: string; tenantId: string };

/**
 * Pauses a tenant's queue: waiting runs stay queued, running ones go on. `forHours` ends the hold by itself.
 * Throws `Invalid` without a usable reason, `Conflict` when the tenant is held already or archived, `Forbidden`
 * without `tenant.hold` there.
 */
export async function placeHold(
  db: Db,
  request: HoldRequest & { reason: string; forHours?: number },
): Promise<void> {
  const reason = request.reason.trim();
  if (reason === "") throw new Invalid({ reason: "Say why: whoever finds the tenant held reads it." });
  if (reason.length > 500) throw new Invalid({ reason: "Keep the reason to 500 characters." });
  if (/[^\P{Cc}\t\r\n]/u.test(reason))
    throw new Invalid({ reason: "It has characters that cannot be shown. Type the reason again." });
  await changeHold(db, request, (tx) => placeIn(tx, { ...request, reason }));
}

/** What releasing did: runs that waited are on their way again, or there was nothing to release. */
export type Released = { kind: "released"; runs: number } | { kind: "not_held" };

/**
 * Ends a tenant's hold. What waited for it is queued again in the same transaction, to be authorized afresh
 * when it begins. Throws `Forbidden` without `tenant.hold` there.
 */
export async function releaseHold(db: Db, request: HoldRequest): Promise<Released> {
  return changeHold(db, request, (tx) => releaseIn(tx, request));
}

async function changeHold<T>(db: Db, request: HoldRequest, work: (tx: Tx) => Promise<T>): Promise<T> {
  const { actor, workspaceId, tenantId } = request;
  const { value } = await changeAuthority(
    db,
    [{ kind: "tenant", id: tenantId }],
    async (tx) => {
      await actAs(tx, actor, { workspaceId, tenantId }, "tenant.hold");
      return work(tx);
    },
    // A hold keeps runs from beginning; those under way go on.
    { relyingOn: authorityOf(actor, workspaceId), takesNothingAway: true },
  );
  return value;
}

async function placeIn(tx: Tx, request: HoldRequest & { reason: string; forHours?: number }): Promise<void> {
  const { actor, workspaceId, tenantId, reason, forHours = null } = request;
  const tenant = await getLockedTenant(tx, workspaceId, tenantId);
  if (tenant.lifecycle === "archived")
    throw new Conflict(`${tenant.name} is archived: nothing runs there that could be held.`);
  await deleteLapsedHold(tx, tenantId);
  const inserted = await tx.query<{ until: Date | null }>(
    `insert into tenant_holds (tenant_id, reason, placed_by, placed_by_name, placed_at, until)
     values ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + make_interval(hours => $5))
     on conflict (tenant_id) do nothing returning until`,
    [tenantId, reason, actor.id, actor.name, forHours],
  );
  const [placed] = inserted;
  if (placed === undefined) throw await alreadyHeld(tx, tenant.name, tenantId);
  const after = { reason, until: placed.until };
  await recordHold(tx, request, { action: "tenant.held", before: null, after });
}

async function alreadyHeld(tx: Tx, tenantName: string, tenantId: string): Promise<Conflict> {
  const [hold] = await tx.query<{ reason: string; by: string }>(
    `select reason, placed_by_name as by from tenant_holds where tenant_id = $1`,
    [tenantId],
  );
  return new Conflict(
    `${tenantName} is on hold already, by ${hold?.by ?? "somebody else"}: “${hold?.reason ?? ""}”.`,
  );
}

async function deleteLapsedHold(tx: Tx, tenantId: string): Promise<void> {
  await tx.query("delete from tenant_holds where tenant_id = $1 and until <= clock_timestamp()", [tenantId]);
}

async function releaseIn(tx: Tx, request: HoldRequest): Promise<Released> {
  const [held] = await tx.query<{ reason: string; by: string; until: Date | null }>(
    "delete from tenant_holds where tenant_id = $1 returning reason, placed_by_name as by, until",
    [request.tenantId],
  );
  if (held === undefined) return { kind: "not_held" };
  const runs = await wakeHeldRuns(tx, request.tenantId);
  await recordHold(tx, request, { action: "tenant.released", before: held, after: null, runs });
  return { kind: "released", runs };
}

async function recordHold(
  tx: Tx,
  { actor, workspaceId, tenantId }: HoldRequest,
  { action, ...details }: { action: string; before: unknown; after: unknown; runs?: number },
): Promise<void> {
  await recordAudit(tx, {
    workspaceId,
    tenantId,
    actor,
    action,
    subject: { type: "tenant", id: tenantId },
    outcome: "done",
    details,
  });
}
