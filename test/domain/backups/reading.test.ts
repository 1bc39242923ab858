import { beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import {
  findBackupItem,
  listBackupItems,
  streamBackupItems,
} from "../../../server/domain/backups/backupItems.ts";
import { findBackupSetFor, listBackupSetsFor } from "../../../server/domain/backups/backupSets.ts";
import { diffItems } from "../../../server/domain/backups/compareItems.ts";
import { countCompared, listCompared, type Other } from "../../../server/domain/backups/compareSets.ts";
import { addTenant, backUp, putDirectory, viewerOf } from "../../helpers/backups.ts";
import type { TestTenant } from "../../helpers/factories.ts";
import { createMember } from "../../helpers/factories.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue } from "../../helpers/queue.ts";

const installation = useInstallation();
let world: Northwind;
let fabrikam: TestTenant;
let before: string;
let after: string;
let elsewhere: string;
const type = "deviceConfigurations";
const staff = "11111111-0000-4000-8000-000000000001";
const assigned = [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: staff } }];

beforeAll(async () => {
  const { db, control, worker } = installation;
  world = await seedNorthwind(installation, { policies: 0 });
  fabrikam = await addTenant(installation, world);
  const directory = world.contoso.directoryId;
  await putDirectory(installation, world.contoso, { groups: [{ id: staff, displayName: "All staff" }] });
  const put = (id: string, description: string, assignments = assigned) =>
    control.putPolicy(
      directory,
      type,
      id,
      {
        "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
        displayName: `Policy ${id}`,
        description,
        nested: [{ a: 1 }],
      },
      assignments,
    );
  for (const id of ["changed", "removed", "same", "unassigned"]) await put(id, "before");
  before = await backUp(installation, world);
  await control.putPolicy(
    directory,
    type,
    "changed",
    {
      "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
      displayName: "Policy changed",
      description: "after",
      nested: [{ a: 2, b: 3 }],
    },
    assigned,
  );
  await control.removePolicy(directory, type, "removed");
  await put("unassigned", "before", []);
  await put("added", "after");
  after = await backUp(installation, world);
  elsewhere = await backUp(installation, world, [type], fabrikam);
  await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
});

describe("sets", () => {
  test("are listed newest first, a page at a time, with filters", async () => {
    const { db } = installation;
    const viewer = await viewerOf(db, world, world.olivia);
    const list = async (
      tenantId: string | null,
      kind: "snapshot" | null = null,
      from: string | null = null,
    ) => (await listBackupSetsFor(db, viewer, { tenantId, kind }, from)).sets.map(({ id }) => id);
    expect(await list(null)).toEqual([elsewhere, after, before]);
    expect(await list(fabrikam.id)).toEqual([elsewhere]);
    expect(await list(null, "snapshot")).toEqual([]);
    expect(await list(null, null, after)).toEqual([before]);
  });
  test("are seen only where backups may be", async () => {
    const { db } = installation;
    const role = "readonly";
    const rita = await createMember(db, { workspace: world.northwind, role, tenant: fabrikam, name: "Rita" });
    const viewer = await viewerOf(db, world, rita);
    const { sets } = await listBackupSetsFor(db, viewer, { tenantId: null, kind: null }, null);
    expect(sets.map(({ id }) => id)).toEqual([elsewhere]);
    expect(await findBackupSetFor(db, viewer, before)).toBeUndefined();
    expect(await findBackupSetFor(db, viewer, elsewhere)).toMatchObject({ tenantName: "Fabrikam", items: 0 });
  });
});

describe("items", () => {
  test("are listed by name, found by part of it, and read whole with names of groups", async () => {
    const { db } = installation;
    const { items } = await listBackupItems(db, before, { type, text: null }, null);
    expect(items.map(({ name }) => name)).toEqual([
      "Policy changed",
      "Policy removed",
      "Policy same",
      "Policy unassigned",
    ]);
    const [first, second] = items;
    if (first === undefined || second === undefined) throw new Error("The set has too few items.");
    expect((await listBackupItems(db, before, { type: null, text: "SAME" }, null)).items).toHaveLength(1);
    expect((await listBackupItems(db, before, { type: null, text: null }, second.id)).items).toHaveLength(2);
    expect(await findBackupItem(db, before, first.id)).toMatchObject({
      name: "Policy changed",
      payload: { description: "before" },
      assignments: [{ groupId: staff, groupName: "All staff", filterId: null, filterName: null }],
    });
    expect(await findBackupItem(db, after, first.id)).toBeUndefined();
  });
  test("are streamed whole, each once, however many there are", async () => {
    const { db } = installation;
    const setId = uuidv7();
    await db.transaction(async (tx) => {
      await tx.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
        setId,
        world.northwind.id,
        world.contoso.id,
      ]);
      await tx.query(
        `insert into backup_items (id, set_id, tenant_id, type, provider_id, name, match_key, odata_type, payload, normalised, hash, taken_token)
         select gen_random_uuid(), $1, $2, $3, 'p' || n, 'Policy ' || n % 7, 'k' || n, '#x', '{}', '{}', 'h', 1 from generate_series(1, 120) n`,
        [setId, world.contoso.id, type],
      );
    });
    const seen: string[] = [];
    for await (const { providerId } of streamBackupItems(db, setId)) seen.push(providerId);
    expect(seen).toHaveLength(120);
    expect(new Set(seen).size).toBe(120);
    const { items, next } = await listBackupItems(db, setId, { type: null, text: null }, null);
    const more = await listBackupItems(db, setId, { type: null, text: null }, next);
    expect(new Set([...items, ...more.items].map(({ id }) => id)).size).toBe(100);
  });
});

describe("a comparison", () => {
  const everything = { comparison: null, type: null };
  const compare = async (other: Other) => {
    const { items } = await listCompared(installation.db, before, other, everything, null);
    return items.map(({ name, comparison, assignmentsChanged }) => [name, comparison, assignmentsChanged]);
  };
  test("of two sets of a tenant tells policies and assignments that differ", async () => {
    const { db } = installation;
    expect(await compare({ setId: after })).toEqual([
      ["Policy added", "added", false],
      ["Policy changed", "changed", false],
      ["Policy removed", "removed", false],
      ["Policy same", "unchanged", false],
      ["Policy unassigned", "changed", true],
    ]);
    expect(await countCompared(db, before, { setId: after })).toEqual({
      added: 1,
      removed: 1,
      changed: 2,
      unchanged: 1,
    });
  });
  test("with the inventory tells policies that differ; it holds no assignments", async () => {
    expect(await compare({ inventoryOf: world.contoso.id })).toEqual([
      ["Policy added", "added", false],
      ["Policy changed", "changed", false],
      ["Policy removed", "removed", false],
      ["Policy same", "unchanged", false],
      ["Policy unassigned", "unchanged", false],
    ]);
  });
  test("leaves out types that one side does not hold", async () => {
    const { db } = installation;
    const onlyFilters = await backUp(installation, world, ["assignmentFilters"]);
    expect(await countCompared(db, before, { setId: onlyFilters })).toEqual({
      added: 0,
      removed: 0,
      changed: 0,
      unchanged: 0,
    });
    expect(await countCompared(db, before, { setId: elsewhere })).toMatchObject({ removed: 4 });
  });
  test("can be narrowed and paged; a cursor that nobody was given leads to the first page", async () => {
    const { db } = installation;
    const other = { setId: after };
    const { items } = await listCompared(db, before, other, { comparison: "changed", type }, null);
    expect(items).toHaveLength(2);
    expect((await listCompared(db, before, other, everything, "nonsense")).items).toHaveLength(5);
  });
  test("shows the fields of one policy that differ", async () => {
    const { db } = installation;
    const other = { setId: after };
    const { items } = await listCompared(db, before, other, { comparison: "changed", type: null }, null);
    const [changed, unassigned] = items;
    if (changed === undefined || unassigned === undefined) throw new Error("Too little has changed.");
    expect(await diffItems(db, before, other, changed)).toEqual([
      { path: "description", before: "before", after: "after" },
      { path: "nested[0].a", before: 1, after: 2 },
      { path: "nested[0].b", after: 3 },
    ]);
    expect(await diffItems(db, before, other, unassigned)).toMatchObject([
      { path: "assignments[0]", before: assigned[0] },
    ]);
    expect(await diffItems(db, before, other, { leftId: uuidv7(), rightId: null })).toBeUndefined();
  });
});
