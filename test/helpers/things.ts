import { randomUUID } from "node:crypto";
import type { Db } from "../../server/db/database.ts";
import { recordAudit } from "../../server/domain/audit/recordAudit.ts";
import { createMember, createRole, createTenant, type TestUser, type TestWorkspace } from "./factories.ts";
import { createSelection } from "./inventory.ts";
import { createNotification, createRun } from "./runs.ts";
import { createSchedule } from "./schedules.ts";
import { createPlan, createSet } from "./sets.ts";

type Param =
  | "tenant"
  | "run"
  | "event"
  | "member"
  | "assignment"
  | "role"
  | "notification"
  | "schedule"
  | "backup"
  | "item"
  | "restore"
  | "position"
  | "policy"
  | "selection";
/** One of each thing an address can name. A new kind of `:param` needs a line here and in `createThings`. */
export type Things = Record<Param, string>;
export function thingsNamed(name: (param: Param) => string): Things {
  return {
    tenant: name("tenant"),
    run: name("run"),
    event: name("event"),
    member: name("member"),
    assignment: name("assignment"),
    role: name("role"),
    notification: name("notification"),
    schedule: name("schedule"),
    backup: name("backup"),
    item: name("item"),
    restore: name("restore"),
    position: "1",
    policy: name("policy"),
    selection: name("selection"),
  };
}

/** One of each, in the workspace; the notification is the given person's. */
export async function createThings(db: Db, workspace: TestWorkspace, person: TestUser): Promise<Things> {
  const tenant = await createTenant(db, { workspace });
  const member = await createMember(db, { workspace, role: "readonly" });
  const run = await createRun(db, { workspace, tenant, initiator: person, ending: { outcome: "succeeded" } });
  const notification = await createNotification(db, { user: person, run });
  const schedule = await createSchedule(db, { workspace, tenant, steward: person });
  const set = await createSet(db, { tenant, items: [{ name: "One" }] });
  const plan = await createPlan(db, { set, source: tenant });
  const role = await createRole(db, {
    workspace,
    key: `role-${randomUUID()}`,
    capabilities: ["tenant.view"],
  });
  const [event = ""] = await db.transaction((tx) =>
    recordAudit(tx, {
      workspaceId: workspace.id,
      tenantId: tenant.id,
      actor: null,
      action: "tenant.held",
      subject: { type: "tenant", id: tenant.id },
      outcome: "done",
    }),
  );
  const [assignment] = await db.query<{ id: string }>("select id from role_assignments where user_id = $1", [
    member.id,
  ]);
  return {
    tenant: tenant.id,
    run: run.id,
    event,
    member: member.id,
    assignment: assignment?.id ?? "",
    role: role.id,
    notification: notification.id,
    schedule: schedule.id,
    backup: set.id,
    item: set.items[0] ?? "",
    restore: plan.id,
    position: "1",
    ...(await createSelection(db, { tenant, by: person })),
  };
}
