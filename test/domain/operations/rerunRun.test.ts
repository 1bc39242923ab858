import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { ReasonCode } from "../../../server/domain/authority/reasons.ts";
import { inWorkspace, loadViewer, type Viewer } from "../../../server/domain/authority/viewer.ts";
import { findRunFor, type ShownRun } from "../../../server/domain/operations/findRunFor.ts";
import { previewRerun, rerunRun } from "../../../server/domain/operations/rerunRun.ts";
import { rerunLabel } from "../../../server/domain/operations/runActions.ts";
import { createMember, type TestUser } from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { follow, openSession, untilSomebodyWaits } from "../../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue } from "../../helpers/queue.ts";
import { getRun, listNotifications } from "../../helpers/records.ts";
import { createRun } from "../../helpers/runs.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 2 });
});

describe("asking for a run again", () => {
  test("makes a new run under the authority of who asks, linked with the old one, which stays as it is", async () => {
    const { db, worker } = installation;
    const old = await blockedRun();
    const again = await rerunAs(world.olivia, old);
    expect(again).toMatchObject({ kind: "stored", blocked: false });
    const runId = again.kind === "stored" ? again.runId : "";
    const [row] = await db.query(
      "select rerun_of, initiator_id, authority_mode, operation, target from operation_runs where id = $1",
      [runId],
    );
    expect(row).toEqual({
      rerun_of: old,
      initiator_id: world.olivia.id,
      authority_mode: "actor_bound",
      operation: "inventory.sync",
      target: (await shown(world.olivia, old)).target,
    });
    await drainQueue(worker);
    expect(await getRun(db, runId)).toMatchObject({ outcome: "succeeded" });
    expect(await listNotifications(db, runId)).toMatchObject([{ userId: world.olivia.id }]);
    expect(await getRun(db, old)).toMatchObject({ outcome: "blocked", reasonCode: "missing_capability" });
    expect((await listAudit(db, runId))[0]).toMatchObject({
      action: "run.requested",
      actorId: world.olivia.id,
      details: { rerunOf: old },
    });
  });

  test("inherits nothing of the initiator's: whoever lacks the operation's own right is refused", async () => {
    const { db } = installation;
    const old = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(installation.worker);
    const sam = await createMember(db, { workspace: world.northwind, role: "readonly", name: "Sam" });
    await allow("readonly", "operations.rerun");
    expect(await rerunAs(sam, old)).toMatchObject({ kind: "refused", capability: "inventory.sync" });
    await allow("readonly", "inventory.sync");
    expect(await rerunAs(sam, old)).toMatchObject({ kind: "stored" });
  });

  test("takes operations.rerun besides, also when it is taken away as they ask", async () => {
    const { db, url } = installation;
    const old = await blockedRun();
    const viewer = await viewerOf(world.olivia);
    const run = await shown(world.olivia, old);
    const session = await openSession(url);
    await session.query("begin");
    await session.query(
      "update roles set capabilities = array_remove(capabilities, 'operations.rerun') where workspace_id = $1",
      [world.northwind.id],
    );
    const asked = follow(rerunRun(db, viewer, run, anew()));
    await untilSomebodyWaits(db);
    await session.query("commit");
    expect(await asked.result).toMatchObject({ kind: "refused", capability: "operations.rerun" });
    expect((await listAudit(db, world.contoso.id)).at(-1)).toMatchObject({ action: "run.refused" });
    await session.end();
  });

  test("twice with one form is one run, and a form used for another run is told apart", async () => {
    const { db } = installation;
    const old = await blockedRun();
    const other = await blockedRun();
    const form = anew();
    const viewer = await viewerOf(world.olivia);
    const run = await shown(world.olivia, old);
    const both = await Promise.all([rerunRun(db, viewer, run, form), rerunRun(db, viewer, run, form)]);
    expect(both[0]).toEqual(both[1]);
    expect(both[0]).toMatchObject({ kind: "stored" });
    await expect(rerunRun(db, viewer, await shown(world.olivia, other), form)).rejects.toThrow(/used before/);
  });

  test("when one that does the same is open offers that one, and makes another when told to", async () => {
    const old = await blockedRun();
    const first = await rerunAs(world.olivia, old);
    const second = await rerunAs(world.olivia, old);
    expect(second).toEqual({ kind: "identical", runId: first.kind === "stored" ? first.runId : "" });
    expect(await rerunAs(world.olivia, old, { force: true })).toMatchObject({ kind: "stored" });
  });

  test("of the system's run is a person's run", async () => {
    const { db, worker } = installation;
    const old = await requestAs(db, null, "inventory.sync", world.contoso);
    await drainQueue(worker);
    const again = await rerunAs(world.omar, old);
    const [row] = await db.query(
      "select authority_mode, initiator_id, schedule_id from operation_runs where id = $1",
      [again.kind === "stored" ? again.runId : ""],
    );
    expect(row).toEqual({ authority_mode: "actor_bound", initiator_id: world.omar.id, schedule_id: null });
  });
});

describe("before asking again", () => {
  test("what it works on is compared with what the run worked on", async () => {
    const { db } = installation;
    const old = await blockedRun();
    await db.query("delete from provider_connections where id = $1", [world.connection.id]);
    const preview = await previewAs(world.olivia, old);
    expect(preview.difference).toEqual([{ what: "Connection", before: "the one of then", now: "none" }]);
    expect(preview.decision).toMatchObject({ verdict: "denied", reasonCode: "provider_connection_invalid" });
  });

  test("types that this release no longer has are left out, and said to be", async () => {
    const { db } = installation;
    const run = await createRun(db, { ...aRun(), ending: { outcome: "succeeded" } });
    await db.query("alter table operation_runs disable trigger runs_keep_their_history");
    await db.query(
      `update operation_runs set target = '{"types": ["deviceConfigurations", "fridges"]}', connection_id = $2 where id = $1`,
      [run.id, world.connection.id],
    );
    await db.query("alter table operation_runs enable trigger runs_keep_their_history");
    const preview = await previewAs(world.olivia, run.id);
    expect(preview.again.target).toEqual({ types: ["deviceConfigurations"] });
    expect(preview.difference).toEqual([
      { what: "Policy types", before: "Device configurations, fridges", now: "Device configurations" },
    ]);
  });

  test("it is said what would be answered now", async () => {
    const old = await blockedRun();
    expect((await previewAs(world.olivia, old)).decision.verdict).toBe("allowed");
    expect((await previewAs(world.olivia, old)).difference).toEqual([]);
    await installation.db.query("update tenants set lifecycle = 'suspended' where id = $1", [
      world.contoso.id,
    ]);
    expect((await previewAs(world.olivia, old)).decision).toMatchObject({
      reasonCode: "tenant_not_operable",
    });
  });

  test("it is called taking over when somebody else had asked", async () => {
    const old = await shown(world.olivia, await blockedRun());
    expect(rerunLabel(old, await viewerOf(world.olivia))).toBe("Take over");
    expect(rerunLabel(old, await viewerOf(world.omar))).toBe("Run again");
  });
});

describe("a restore", () => {
  test("is previewed again with the same source and choices, never carried out a second time", async () => {
    const { db } = installation;
    const setId = await createSet();
    const target = {
      setId,
      types: ["deviceConfigurations"],
      itemIds: null,
      options: { assignments: "exact" },
    };
    const previewed = await createRun(db, {
      ...aRun(),
      operation: "restore.preview",
      ending: { outcome: "succeeded" },
    });
    await freeze(previewed.id, target, setId);
    const restored = await createRun(db, {
      ...aRun(),
      operation: "restore.execute",
      ending: { outcome: "partially_succeeded" },
    });
    await freeze(
      restored.id,
      { planId: previewed.id, digest: "digest", types: ["deviceConfigurations"] },
      setId,
    );
    const { again, difference } = await previewAs(world.olivia, restored.id);
    expect(again).toEqual({ operation: "restore.preview", target, backupSetId: setId });
    expect(difference).toContainEqual({
      what: "Operation",
      before: "Restore policies",
      now: "Preview restore",
    });
    expect(rerunLabel(await shown(world.olivia, restored.id), await viewerOf(world.olivia))).toBe(
      "Preview again",
    );
    const asked = await rerunAs(world.olivia, restored.id);
    const [row] = await db.query(
      "select operation, target, backup_set_id, rerun_of from operation_runs where id = $1",
      [asked.kind === "stored" ? asked.runId : ""],
    );
    expect(row).toEqual({
      operation: "restore.preview",
      target,
      backup_set_id: setId,
      rerun_of: restored.id,
    });
  });

  test("whose preview is gone cannot be asked for again", async () => {
    const { db } = installation;
    const restored = await createRun(db, {
      ...aRun(),
      operation: "restore.execute",
      ending: { outcome: "failed" },
    });
    await freeze(restored.id, { planId: randomUUID(), digest: "digest", types: [] }, null);
    await expect(previewAs(world.olivia, restored.id)).rejects.toThrow(/cannot be started again/);
  });
});

test.each<ReasonCode>(["workspace_mismatch", "tenant_missing"])(
  "%s leaves nothing to ask for again",
  async (reasonCode) => {
    const run = await createRun(installation.db, { ...aRun(), ending: { outcome: "blocked", reasonCode } });
    await expect(rerunAs(world.olivia, run.id)).rejects.toThrow(/cannot be started again/);
  },
);

test("what is open cannot be asked for again", async () => {
  const run = await requestAs(installation.db, world.omar, "inventory.sync", world.contoso);
  await expect(rerunAs(world.omar, run)).rejects.toThrow(/has not ended yet/);
});

/** A sync of Omar's that was blocked because his role lost the right, and has it again. */
async function blockedRun(): Promise<string> {
  const { db, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const change = (sql: string) => db.query(sql, [world.northwind.id]);
  await change(
    "update roles set capabilities = array_remove(capabilities, 'inventory.sync') where workspace_id = $1",
  );
  await drainQueue(worker);
  await change(
    "update roles set capabilities = capabilities || '{inventory.sync}' where workspace_id = $1 and key <> 'readonly'",
  );
  return run;
}

function allow(role: string, capability: string) {
  return installation.db.query(
    "update roles set capabilities = capabilities || $3::text where workspace_id = $1 and key = $2",
    [world.northwind.id, role, capability],
  );
}

function aRun() {
  return { workspace: world.northwind, tenant: world.contoso, initiator: world.omar };
}

function anew(given: { force?: boolean } = {}) {
  return { requestKey: randomUUID(), expiresInHours: 24, force: false, ...given };
}

async function rerunAs(person: TestUser, runId: string, given: { force?: boolean } = {}) {
  return rerunRun(installation.db, await viewerOf(person), await shown(person, runId), anew(given));
}

async function previewAs(person: TestUser, runId: string) {
  return previewRerun(installation.db, await viewerOf(person), await shown(person, runId));
}

async function viewerOf(person: TestUser): Promise<Viewer> {
  const viewer = await loadViewer(installation.db, person.id, world.northwind.id);
  const there = viewer === undefined ? undefined : inWorkspace(viewer, world.northwind.id);
  if (there === undefined) throw new Error(`${person.name} is no member.`);
  return there;
}

async function shown(person: TestUser, runId: string): Promise<ShownRun> {
  const run = await findRunFor(installation.db, await viewerOf(person), runId);
  if (run === undefined) throw new Error(`${person.name} cannot see the run.`);
  return run;
}

async function createSet(): Promise<string> {
  const id = randomUUID();
  await installation.db.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
    id,
    world.northwind.id,
    world.contoso.id,
  ]);
  return id;
}

/** What a request would have frozen; the factory's runs all have the same target. */
async function freeze(runId: string, target: object, setId: string | null): Promise<void> {
  const { db } = installation;
  const triggers = ["runs_keep_their_history", "runs_keep_their_frozen_source"];
  for (const name of triggers) await db.query(`alter table operation_runs disable trigger ${name}`);
  await db.query(
    "update operation_runs set target = $2, backup_set_id = $3, connection_id = $4 where id = $1",
    [runId, JSON.stringify(target), setId, world.connection.id],
  );
  for (const name of triggers) await db.query(`alter table operation_runs enable always trigger ${name}`);
}
