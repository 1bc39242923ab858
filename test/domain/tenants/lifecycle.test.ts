import { expect, test } from "@jest/globals";
import { type Lifecycle, lifecycles } from "../../../server/domain/authority/contract.ts";
import { storeCredential } from "../../../server/domain/connections/storeCredential.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "../../../server/domain/errors.ts";
import { changeLifecycle, previewLifecycle } from "../../../server/domain/tenants/changeLifecycle.ts";
import { useDatabase } from "../../helpers/database.ts";
import {
  addMember,
  createConnection,
  createMember,
  createTenant,
  createWorkspace,
  placeHold,
} from "../../helpers/factories.ts";
import { requestAs } from "../../helpers/northwind.ts";
import { credentialKeys, listJobs } from "../../helpers/queue.ts";

const database = useDatabase();

/** Handbook 1, "Tenant lifecycle", with a verified connection and the name typed. */
const possible: Record<Lifecycle, readonly Lifecycle[]> = {
  onboarding: ["active"],
  active: ["suspended", "offboarding"],
  suspended: ["active", "offboarding"],
  offboarding: ["active", "suspended", "archived"],
  archived: [],
};

async function seed(lifecycle: Lifecycle, status: "verified" | "unverified" | "invalid" = "verified") {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const mia = await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" });
  const tenant = await createTenant(db, { workspace, name: "Contoso Retail", lifecycle });
  const connection = await createConnection(db, { tenant, status });
  const request = { actor: mia, workspaceId: workspace.id, tenantId: tenant.id };
  return { db, workspace, mia, tenant, connection, request };
}

async function lifecycleOf(tenantId: string): Promise<string | undefined> {
  const rows = await database.db.query<{ lifecycle: string }>("select lifecycle from tenants where id = $1", [
    tenantId,
  ]);
  return rows[0]?.lifecycle;
}

const pairs = lifecycles.flatMap((from) => lifecycles.map((to) => [from, to] as const));

test.each(pairs)("from %s to %s, as the rules say", async (from, to) => {
  const { db, tenant, request } = await seed(from);
  const change = changeLifecycle(db, { ...request, to, typedName: "Contoso Retail" });
  if (possible[from].includes(to)) {
    expect(await change).toMatchObject({ tenant: "Contoso Retail", from });
    expect(await lifecycleOf(tenant.id)).toBe(to);
  } else {
    await expect(change).rejects.toThrow(Conflict);
    expect(await lifecycleOf(tenant.id)).toBe(from);
  }
});

test.each(["unverified", "invalid"] as const)(
  "nothing becomes active while its connection is %s",
  async (status) => {
    const { db, request, tenant } = await seed("onboarding", status);
    await expect(changeLifecycle(db, { ...request, to: "active" })).rejects.toThrow(/not verified yet/);
    expect(await lifecycleOf(tenant.id)).toBe("onboarding");
  },
);

test("an archived tenant says what it needs to come back", async () => {
  const { db, request } = await seed("archived");
  await expect(changeLifecycle(db, { ...request, to: "onboarding" })).rejects.toThrow(/new ones/);
});

test("archiving erases the credentials, forgets what was proved and ends the hold", async () => {
  const { db, request, tenant, connection, mia } = await seed("offboarding");
  await db.transaction((tx) =>
    storeCredential(tx, credentialKeys, {
      connectionId: connection.id,
      version: 1,
      proof: { kind: "secret", secret: "secret" },
    }),
  );
  await placeHold(db, { tenant });
  await changeLifecycle(db, { ...request, to: "archived", typedName: " Contoso Retail " });

  expect(await db.query("select 1 from provider_credentials")).toEqual([]);
  expect(await db.query("select 1 from tenant_holds where tenant_id = $1", [tenant.id])).toEqual([]);
  expect(
    await db.query(
      `select status, cause, verified_at, verified_version, granted_roles from provider_connections where id = $1`,
      [connection.id],
    ),
  ).toEqual([
    { status: "unverified", cause: null, verified_at: null, verified_version: null, granted_roles: [] },
  ]);
  expect(
    await db.query("select actor_id, action, details from audit_events where subject_id = $1", [tenant.id]),
  ).toMatchObject([
    {
      actor_id: mia.id,
      action: "tenant.lifecycle_changed",
      details: { before: "offboarding", after: "archived", credentialsErased: true, holdEnded: true },
    },
  ]);
});

test.each([undefined, "", "contoso retail", "Contoso"])(
  "archiving with the name typed as %p is refused",
  async (typed) => {
    const { db, request, tenant } = await seed("offboarding");
    const change = { ...request, to: "archived" as const, ...(typed !== undefined && { typedName: typed }) };
    await expect(changeLifecycle(db, change)).rejects.toThrow(Invalid);
    expect(await lifecycleOf(tenant.id)).toBe("offboarding");
  },
);

test("a step says beforehand how many open runs it stops", async () => {
  const { db, tenant, mia } = await seed("active");
  await placeHold(db, { tenant });
  await requestAs(db, mia, "inventory.sync", tenant);
  await requestAs(db, null, "inventory.sync", tenant);
  await requestAs(db, mia, "provider.connection.verify", tenant);
  expect(await previewLifecycle(db, tenant.id, "suspended")).toEqual({
    queued: 2,
    running: 0,
    tenants: 1,
    more: false,
  });
  expect(await previewLifecycle(db, tenant.id, "archived")).toMatchObject({ queued: 3 });
  expect(await previewLifecycle(db, tenant.id, "active")).toMatchObject({ queued: 0 });
});

test("archiving wakes what the hold kept waiting, so that it is judged at once", async () => {
  const { db, tenant, mia, request } = await seed("active");
  await placeHold(db, { tenant });
  const run = await requestAs(db, mia, "inventory.sync", tenant);
  await db.query("delete from graphile_worker._private_jobs");
  await db.query("update operation_runs set waiting_reason = 'hold' where id = $1", [run]);
  await changeLifecycle(db, { ...request, to: "offboarding" });
  expect(await listJobs(db)).toEqual([]);
  await changeLifecycle(db, { ...request, to: "archived", typedName: "Contoso Retail" });
  expect(await listJobs(db)).toMatchObject([{ key: `run:${run}` }]);
});

test("without tenant.manage there, or at another workspace's tenant, nothing changes", async () => {
  const { db, workspace, tenant, request } = await seed("active");
  const elsewhere = await createTenant(db, { workspace });
  const omar = await createMember(db, { workspace, role: "operator" });
  const sam = await createMember(db, { workspace, role: "manager", tenant: elsewhere });
  const change = { ...request, to: "suspended" } as const;
  await expect(changeLifecycle(db, { ...change, actor: omar })).rejects.toThrow(
    new Forbidden("tenant.manage"),
  );
  await expect(changeLifecycle(db, { ...change, actor: sam })).rejects.toThrow(NotFound);
  const other = await seed("active");
  await expect(changeLifecycle(db, { ...change, tenantId: other.tenant.id })).rejects.toThrow(NotFound);
  await expect(
    changeLifecycle(db, { ...change, workspaceId: other.workspace.id, tenantId: other.tenant.id }),
  ).rejects.toThrow(NotFound);

  await addMember(db, { workspace, user: sam, role: "manager", tenant });
  await changeLifecycle(db, { ...change, actor: sam });
  expect(await lifecycleOf(tenant.id)).toBe("suspended");
});
