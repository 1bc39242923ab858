import type { Db, Reader, Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import type { Lifecycle } from "../authority/contract.ts";
import { eraseCredential } from "../connections/eraseCredential.ts";
import { Conflict, Invalid } from "../errors.ts";
import { countStopped, type Stopped } from "../operations/countStopped.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { type AuthoritySubject, changeAuthority } from "../revocation/changeAuthority.ts";
import type { Drained } from "../revocation/drainWrites.ts";
import { removeSchedulesAt, scheduleKeysAt } from "../schedules/removeSchedulesAt.ts";
import { stepBetween } from "./lifecycleSteps.ts";
import { listOpenRunsAt } from "./listOpenRunsAt.ts";
import { getLockedTenant, type LockedTenant } from "./lockedTenant.ts";
import { wakeHeldRuns } from "./wakeHeldRuns.ts";

export type LifecycleRequest = {
  actor: Actor;
  workspaceId: string;
  tenantId: string;
  to: Lifecycle;
  /** Archiving asks for the tenant's name. */
  typedName?: string;
};

/** What was done: from which state, and how many open runs it stops. */
export type LifecycleReceipt = { tenant: string; from: Lifecycle; stops: Stopped; drained: Drained };

/**
 * Takes a tenant one step through its lifecycle. Archiving erases its credentials, ends its hold and removes its schedules. Throws
 * `Conflict` for a step that does not exist from where it is now or whose condition is not met, `Invalid` when
 * the typed name is not the tenant's, `Forbidden` without `tenant.manage` there.
 */
export async function changeLifecycle(db: Db, request: LifecycleRequest): Promise<LifecycleReceipt> {
  const { actor, workspaceId, tenantId, to } = request;
  const stops = await previewLifecycle(db, tenantId, to);
  const { value, drained } = await changeAuthority(
    db,
    [
      { kind: "tenant", id: tenantId },
      ...(await connectionOf(db, tenantId)),
      ...(to === "archived" ? await scheduleKeysAt(db, tenantId) : []),
    ],
    async (tx) => {
      await actAs(tx, actor, { workspaceId, tenantId }, "tenant.manage");
      const tenant = await getLockedTenant(tx, workspaceId, tenantId);
      const problem = whyNotTo(tenant, to);
      if (problem !== null) throw new Conflict(problem);
      requireTypedName(tenant, request);
      await setLifecycle(tx, tenantId, to);
      const erased = to === "archived" ? await putAway(tx, request, tenant) : {};
      await recordStep(tx, request, { before: tenant.lifecycle, stops, ...erased });
      return { tenant: tenant.name, from: tenant.lifecycle, stops };
    },
    { relyingOn: authorityOf(actor, workspaceId) },
  );
  return { ...value, drained };
}

/** Why the tenant cannot take this step now, in words for who wants it; null when it can. */
export function whyNotTo(
  tenant: Pick<LockedTenant, "name" | "lifecycle" | "connection">,
  to: Lifecycle,
): string | null {
  const step = stepBetween(tenant.lifecycle, to);
  switch (step?.needs) {
    case undefined:
      return `${tenant.name} is ${tenant.lifecycle}; from there it cannot become ${to}.`;
    case "connection_verified":
      return tenant.connection?.status === "verified"
        ? null
        : `${tenant.name}'s connection is not verified yet. Verify it, then make the tenant active.`;
    case "new_credentials":
      return `${tenant.name}'s credentials were erased when it was archived. Give it new ones on its connection page: that brings it back.`;
    case "nothing":
    case "typed_name":
      return null;
  }
}

/** The tenant's open runs that would be denied in that state and are not now. At most 1,000 are looked at. */
export async function previewLifecycle(reader: Reader, tenantId: string, to: Lifecycle): Promise<Stopped> {
  const runs = await listOpenRunsAt(reader, tenantId);
  return countStopped(reader, runs, (facts) =>
    facts.tenant === null ? facts : { ...facts, tenant: { ...facts.tenant, lifecycle: to } },
  );
}

/** A tenant's connection never becomes another's, so it may be looked up before the locks. */
async function connectionOf(reader: Reader, tenantId: string): Promise<AuthoritySubject[]> {
  const rows = await reader.query<{ id: string }>(
    "select id from provider_connections where tenant_id = $1",
    [tenantId],
  );
  return rows.map(({ id }) => ({ kind: "connection", id }));
}

function requireTypedName(tenant: LockedTenant, { to, typedName }: LifecycleRequest): void {
  if (stepBetween(tenant.lifecycle, to)?.needs !== "typed_name" || typedName?.trim() === tenant.name) return;
  throw new Invalid({ name: `Type ${tenant.name} exactly as it is written.` });
}

async function setLifecycle(tx: Tx, tenantId: string, to: Lifecycle): Promise<void> {
  await tx.query("update tenants set lifecycle = $2 where id = $1", [tenantId, to]);
}

async function putAway(tx: Tx, request: LifecycleRequest, { connection, isHeld }: LockedTenant) {
  const { actor, workspaceId, tenantId } = request;
  const credentialsErased = connection !== null && (await eraseCredential(tx, connection.id));
  await tx.query("delete from tenant_holds where tenant_id = $1", [tenantId]);
  // What the hold kept waiting is judged now, and not when it happens to look again.
  await wakeHeldRuns(tx, { workspaceId, tenantId });
  const schedulesRemoved = await removeSchedulesAt(tx, actor, tenantId);
  return { credentialsErased, holdEnded: isHeld, schedulesRemoved };
}

async function recordStep(
  tx: Tx,
  { actor, workspaceId, tenantId, to }: LifecycleRequest,
  details: { before: Lifecycle; stops: Stopped },
): Promise<void> {
  await recordAudit(tx, {
    workspaceId,
    tenantId,
    actor,
    action: "tenant.lifecycle_changed",
    subject: { type: "tenant", id: tenantId },
    outcome: "done",
    details: { ...details, after: to },
  });
}
