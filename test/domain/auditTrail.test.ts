import { beforeEach, describe, expect, test } from "@jest/globals";
import { cancelRun } from "../../server/domain/operations/cancelRun.ts";
import type { Ending } from "../../server/domain/operations/ending.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { breaking } from "../helpers/breaking.ts";
import { listAudit, listEffects } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, openSession, untilSessionsWait } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

const app = { clientId: "countersign-client", secret: "a-valid-secret", secretState: "valid" as const };

/** How a verification comes to each end; a new outcome without its case does not compile. */
const endings = {
  succeeded: async () => {},
  partially_succeeded: () =>
    installation.control.setApp(world.contoso.directoryId, { ...app, roles: ["Organization.Read.All"] }),
  failed: () =>
    installation.control.setApp(world.contoso.directoryId, { ...app, secret: "another", roles: [] }),
  cancelled: async (run) => {
    await cancelRun(installation.db, { runId: run, actor: world.olivia });
  },
  blocked: async () => {
    await installation.db.query("update tenants set lifecycle = 'archived' where id = $1", [
      world.contoso.id,
    ]);
  },
} satisfies Record<Ending["outcome"], (run: string) => Promise<void>>;

describe.each(Object.entries(endings))("a run that ends %s", (outcome, bring) => {
  const changed = outcome !== "blocked" && outcome !== "cancelled";
  const asked = outcome === "cancelled" ? ["run.cancellation_requested"] : [];
  const began = changed ? ["run.started", "run.effect"] : [];
  const actions = ["run.requested", ...asked, ...began, `run.${outcome}`];
  const actorsAfter = (action: string) => (asked.includes(action) ? world.olivia.id : null);

  test("and is a person's: the person is told once, and every step is in the audit trail", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
    await bring(run);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "completed", outcome });
    expect(await listNotifications(db, run)).toEqual([
      {
        userId: world.omar.id,
        content: {
          operation: "provider.connection.verify",
          outcome,
          reasonCode: outcome === "blocked" ? "tenant_not_operable" : null,
          changed,
        },
      },
    ]);
    const audit = await listAudit(db, run);
    expect(audit.map(({ action }) => action)).toEqual(actions);
    expect(audit.map(({ actorId }) => actorId)).toEqual([
      world.omar.id,
      ...actions.slice(1).map(actorsAfter),
    ]);
    for (const entry of audit)
      expect(entry).toMatchObject({ workspaceId: world.northwind.id, tenantId: world.contoso.id });
  });

  test("and is the system's: nobody is told, and the audit trail is the same", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, null, "provider.connection.verify", world.contoso);
    await bring(run);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "completed", outcome });
    expect(await listNotifications(db, run)).toEqual([]);
    expect(await listActions(db, run)).toEqual(actions);
    expect((await listAudit(db, run)).map(({ actorId }) => actorId)).toEqual(actions.map(actorsAfter));
  });
});

describe("an initiator whose account was deleted", () => {
  test("hears nothing, and the audit trail still knows who it was", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await db.query("delete from users where id = $1", [world.omar.id]);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "initiator_missing" });
    expect(await listNotifications(db, run)).toEqual([]);
    const named = await db.query(
      "select actor_id, actor_name from audit_events where subject_id = $1 and action = 'run.requested'",
      [run],
    );
    expect(named).toEqual([{ actor_id: world.omar.id, actor_name: world.omar.name }]);
  });

  // Fails until the notification looks at the account under a lock: `join users u … for key share of u`.
  test("is deleted while the run is ending: the run ends as it did, and nobody is told", async () => {
    const { db, url } = installation;
    const run = await beginSync(installation, world);
    const session = await openSession(url);
    await session.query("begin");
    await session.query("delete from users where id = $1", [world.omar.id]);
    const ending = follow(
      db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }])),
    );
    await untilSessionsWait(db, 1);
    await session.query("commit");
    await session.end();
    expect((await ending.result).has(run.id)).toBe(true);
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "succeeded" });
    expect(await listNotifications(db, run.id)).toEqual([]);
  });
});

describe("the audit trail is append-only", () => {
  const changes = {
    "an update": "update audit_events set details = '{}'",
    "an update of nothing": "update audit_events set details = '{}' where false",
    "a deletion": "delete from audit_events where action = 'run.requested'",
    truncation: "truncate audit_events",
    "a merge that deletes": `merge into audit_events a using (select 1 as one) s on a.action = 'run.requested'
      when matched then delete`,
    "an upsert": `insert into audit_events (id, action, subject_type, outcome)
      select id, 'forged', 'run', 'done' from audit_events limit 1
      on conflict (id) do update set action = excluded.action`,
  };

  test.each(Object.entries(changes))("%s is refused", async (_name, sql) => {
    const { db } = installation;
    await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await expect(db.query(sql)).rejects.toMatchObject({ code: "42501" });
  });

  test("also to somebody who switches ordinary triggers off", async () => {
    const { url } = installation;
    const session = await openSession(url);
    await session.query("set session_replication_role = replica");
    await expect(session.query(changes["a deletion"])).rejects.toMatchObject({ code: "42501" });
    await session.end();
  });

  test("control: without its trigger each of these would have gone through", async () => {
    const { db, url } = installation;
    await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const session = await openSession(url);
    for (const sql of Object.values(changes)) {
      await session.query("begin");
      await session.query("alter table audit_events disable trigger audit_is_append_only");
      await session.query(sql);
      await session.query("rollback");
    }
    await session.end();
  });
});

describe("a record shares the transaction of what it records", () => {
  test("an effect that cannot be audited does not happen", async () => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    await expect(
      breaking(db, "audit_events", "action <> 'run.effect'", () =>
        runEffect(db, run, { name: "silent", perAttempt: false }, async (tx) => {
          await tx.query("delete from inventory_items");
          return { items: 1, counts: {} };
        }),
      ),
    ).rejects.toMatchObject({ constraint: "broken" });
    expect(await listEffects(db, run.id)).toEqual([]);
    expect(await listActions(db, run.id)).not.toContain("run.effect");
    expect(await getRun(db, run.id)).toMatchObject({ effectsDone: 0 });
  });

  test("an effect that fails leaves no entry that it happened", async () => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    const failing = runEffect(db, run, { name: "failing", perAttempt: false }, async () => {
      throw new Error("It broke.");
    });
    await expect(failing).rejects.toThrow("It broke.");
    expect(await listActions(db, run.id)).toEqual(["run.requested", "run.started"]);
  });

  test("a run that cannot be audited as started does not start, and has no verdict", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const beginning = () => worker.begin({ operation: "inventory.sync", runId: run, jobId: "job" });
    await expect(breaking(db, "audit_events", "action <> 'run.started'", beginning)).rejects.toThrow();
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 0, startedAt: null });
    expect(await listDecisions(db, run)).toEqual([]);
  });

  test("an ending whose initiator cannot be told has not happened, nor been audited", async () => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    const end = () => db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }]));
    await expect(breaking(db, "notifications", "false", end)).rejects.toThrow();
    expect(await getRun(db, run.id)).toMatchObject({ status: "running", outcome: "pending" });
    expect(await listActions(db, run.id)).toEqual(["run.requested", "run.started"]);
    await end();
    expect(await listNotifications(db, run.id)).toHaveLength(1);
  });
});
