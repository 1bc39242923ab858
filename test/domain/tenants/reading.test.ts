import { expect, test } from "@jest/globals";
import type { Db } from "../../../server/db/database.ts";
import { loadViewer, type Viewer } from "../../../server/domain/authority/viewer.ts";
import { findTenantFor } from "../../../server/domain/tenants/findTenantFor.ts";
import {
  countTenantsFor,
  listTenantsFor,
  type TenantQuery,
  tenantsPerPage,
} from "../../../server/domain/tenants/listTenantsFor.ts";
import { useDatabase } from "../../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  placeHold,
  type TestUser,
} from "../../helpers/factories.ts";
import { requestAs } from "../../helpers/northwind.ts";

const database = useDatabase();
const everything: TenantQuery = { kind: "all", search: null, after: null };

async function viewerOf(db: Db, user: TestUser): Promise<Viewer> {
  const viewer = await loadViewer(db, user.id, null);
  if (viewer === undefined) throw new Error("The viewer is gone.");
  return viewer;
}

async function seed() {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const rita = await viewerOf(db, await createMember(db, { workspace, role: "readonly" }));
  return { db, workspace, rita };
}

async function names(db: Db, viewer: Viewer, query: Partial<TenantQuery> = {}): Promise<string[]> {
  return (await listTenantsFor(db, viewer, { ...everything, ...query })).tenants.map(({ name }) => name);
}

test("what needs a person comes first, what is archived last", async () => {
  const { db, workspace, rita } = await seed();
  await createTenant(db, { workspace, name: "Adatum" });
  await createTenant(db, { workspace, name: "Aardvark", lifecycle: "archived" });
  await createTenant(db, { workspace, name: "Litware", lifecycle: "suspended" });
  await placeHold(db, { tenant: await createTenant(db, { workspace, name: "Contoso" }) });
  const woodgrove = await createTenant(db, { workspace, name: "Woodgrove" });
  await createConnection(db, { tenant: woodgrove, status: "invalid" });
  const lapsed = await createTenant(db, { workspace, name: "Proseware" });
  await placeHold(db, { tenant: lapsed, until: new Date(Date.now() - 1000) });

  expect(await names(db, rita)).toEqual([
    "Contoso",
    "Litware",
    "Woodgrove",
    "Adatum",
    "Proseware",
    "Aardvark",
  ]);
  expect(await names(db, rita, { kind: "held" })).toEqual(["Contoso"]);
  expect(await names(db, rita, { kind: "suspended" })).toEqual(["Litware"]);
  expect(await names(db, rita, { kind: "refused" })).toEqual(["Woodgrove"]);
  expect(await countTenantsFor(db, rita)).toEqual({ all: 6, held: 1, suspended: 1, refused: 1 });
});

test("a page after the other shows each tenant once", async () => {
  const { db, workspace, rita } = await seed();
  for (let n = 0; n < tenantsPerPage + 3; n += 1)
    await createTenant(db, { workspace, name: `T ${n}`, lifecycle: n % 9 === 0 ? "suspended" : "active" });
  const first = await listTenantsFor(db, rita, everything);
  const second = await listTenantsFor(db, rita, { ...everything, after: first.next });
  expect(second.next).toBeNull();
  const seen = [...first.tenants, ...second.tenants].map(({ id }) => id);
  expect(new Set(seen).size).toBe(tenantsPerPage + 3);
});

test("a search finds parts of names, and only in scope", async () => {
  const { db, workspace } = await seed();
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  await createTenant(db, { workspace, name: "Contoso Health" });
  const sam = await viewerOf(db, await createMember(db, { workspace, role: "operator", tenant: contoso }));
  expect(await names(db, sam, { search: "CONTOSO" })).toEqual(["Contoso Retail"]);
  expect(await names(db, sam, { search: "_" })).toEqual([]);
  expect(await countTenantsFor(db, sam)).toMatchObject({ all: 1 });
});

test("without any role, or in another workspace, there is nothing", async () => {
  const { db, workspace } = await seed();
  const tenant = await createTenant(db, { workspace });
  const roleless = await viewerOf(db, await createMember(db, { workspace, role: null }));
  const stranger = await viewerOf(
    db,
    await createMember(db, { workspace: await createWorkspace(db), role: "owner" }),
  );
  for (const viewer of [roleless, stranger]) {
    expect(await names(db, viewer)).toEqual([]);
    expect(await findTenantFor(db, viewer, tenant.id)).toBeUndefined();
  }
});

test("open runs are counted for those who may see operations", async () => {
  const { db, workspace, rita } = await seed();
  const owner = await createMember(db, { workspace, role: "owner" });
  await createRole(db, { workspace, key: "lookout", capabilities: ["tenant.view"] });
  const hugo = await viewerOf(db, await createMember(db, { workspace, role: "lookout" }));
  const tenant = await createTenant(db, { workspace });
  await createConnection(db, { tenant });
  await requestAs(db, owner, "inventory.sync", tenant);
  await requestAs(db, null, "inventory.sync", tenant);
  const open = async (viewer: Viewer) => (await listTenantsFor(db, viewer, everything)).tenants[0]?.openRuns;
  expect(await open(rita)).toBe(2);
  expect(await open(hugo)).toBeNull();
  expect(await findTenantFor(db, rita, tenant.id)).toMatchObject({
    queuedRuns: 2,
    runningRuns: 0,
    hold: null,
  });
});
