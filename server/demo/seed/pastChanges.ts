import type { AuditEvent } from "../../domain/audit/recordAudit.ts";
import type { PastEvent } from "./auditOf.ts";
import { actorOf } from "./auditOf.ts";
import type { Person, Tenant } from "./cast.ts";
import {
  adatum,
  contoso,
  hugo,
  litware,
  mia,
  northwind,
  olivia,
  proseware,
  rita,
  theo,
  wingtip,
} from "./cast.ts";
import { expiredSecret } from "./history.ts";
import { later } from "./tellRun.ts";

/** The audit trail of the changes that decided past runs: who held, suspended, cut a role, and when. */
export function pastChanges(now: Date): PastEvent[] {
  return [
    lifecycle(wingtip, 500, "active", "offboarding"),
    lifecycle(wingtip, 480, "offboarding", "archived"),
    hold(adatum, 81.6, "Change freeze over the weekend", olivia),
    release(adatum, 56, olivia),
    lifecycle(litware, 75.9985, "active", "suspended"),
    hold(contoso, 50.1, "Credential rotation", olivia),
    at(49.6, northwindEvent(olivia, "user.deleted", { type: "user", id: theo.id }, { member: theo.name })),
    release(contoso, 49.334, olivia),
    hold(adatum, 44.2, "Maintenance at the directory", mia),
    at(
      43.8,
      northwindEvent(
        olivia,
        "member.role_changed",
        { type: "user", id: rita.id },
        { member: rita.name, before: [{ role: "Operator" }], after: [{ role: "Read only" }] },
      ),
    ),
    release(adatum, 43.501, mia),
    at(
      30.7884,
      northwindEvent(
        olivia,
        "member.role_changed",
        { type: "user", id: hugo.id },
        { member: hugo.name, before: [{ role: "Manager" }], after: [{ role: "Sync desk" }] },
      ),
    ),
    credential(proseware, 25.4),
    at(19.9988, {
      ...tenantEvent(adatum, null, "connection.rejected", { cause: expiredSecret }),
      subject: { type: "connection", id: adatum.connection.id },
      outcome: "failed",
    }),
    credential(adatum, 18.3),
  ].map(({ hoursAgo, ...event }) => ({ ...event, at: later(now, -hoursAgo * 3_600) }));
}

type Ago = AuditEvent & { hoursAgo: number };

function at(hoursAgo: number, event: AuditEvent): Ago {
  return { ...event, hoursAgo };
}

function hold(tenant: Tenant, hoursAgo: number, reason: string, by: Person): Ago {
  return at(
    hoursAgo,
    tenantEvent(tenant, by, "tenant.held", { before: null, after: { reason, until: null } }),
  );
}

function release(tenant: Tenant, hoursAgo: number, by: Person): Ago {
  return at(hoursAgo, tenantEvent(tenant, by, "tenant.released", { after: null, runs: 1 }));
}

function lifecycle(tenant: Tenant, hoursAgo: number, before: string, after: string): Ago {
  return at(hoursAgo, tenantEvent(tenant, olivia, "tenant.lifecycle_changed", { before, after }));
}

function credential(tenant: Tenant, hoursAgo: number): Ago {
  const event = tenantEvent(tenant, mia, "connection.credential_replaced", {
    version: tenant.connection.version,
  });
  return at(hoursAgo, { ...event, subject: { type: "connection", id: tenant.connection.id } });
}

function tenantEvent(
  tenant: Tenant,
  by: Person | null,
  action: string,
  details: Record<string, unknown>,
): AuditEvent {
  const subject = { type: "tenant", id: tenant.id } as const;
  const event = {
    workspaceId: tenant.workspace.id,
    tenantId: tenant.id,
    actor: actorOf(by),
    action,
    subject,
  };
  return { ...event, outcome: "done", details };
}

function northwindEvent(
  by: Person,
  action: string,
  subject: AuditEvent["subject"],
  details: Record<string, unknown>,
): AuditEvent {
  const event = { workspaceId: northwind.id, tenantId: null, actor: actorOf(by), action, subject };
  return { ...event, outcome: "done", details };
}
