import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "@jest/globals";
import request, { type Response } from "supertest";
import { capabilities } from "../../server/domain/authority/capabilities.ts";
import { accessOf, accessTable, isRouteName, type RouteName } from "../../server/http/accessTable.ts";
import { type Browser, makeApp, signIn, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  addMember,
  createMember,
  createRole,
  createTenant,
  createUser,
  createWorkspace,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { createRun } from "../helpers/runs.ts";
import { createThings, type Things, thingsNamed } from "../helpers/things.ts";

const database = useDatabase();

type Person = "nobody" | "elsewhere" | "otherTenant" | "powerless" | "owner";

type World = {
  app: TestApp;
  workspace: TestWorkspace;
  things: Things;
  foreign: Things;
  people: Record<Person, TestUser>;
};

const absent = thingsNamed(() => randomUUID());
const malformed = thingsNamed(() => "no-such-thing");

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const routes = Object.keys(accessTable).filter(isRouteName);
const guarded = routes.filter((route) => accessOf(route).scope !== "public");
const posted = routes.filter((route) => route.startsWith("POST"));

test("the router serves what is in the access table, and nothing else", () => {
  const served = world.app.router.stack.flatMap(({ route }) =>
    route === undefined ? [] : [...methodsOf(route)].map((method) => `${method} ${route.path}`),
  );
  expect(served.sort()).toEqual([...routes].sort());
  // A router of its own would serve what the line above does not see. The one there is has the assets.
  expect(world.app.router.stack.filter(({ handle }) => "stack" in handle)).toHaveLength(1);
});

describe.each(guarded)("%s", (route) => {
  const access = accessOf(route);

  test("sends the signed-out to the sign-in page", async () => {
    const answer = await send(request.agent(world.app), route, world.things);
    expect(answer.status).toBe(303);
    const back = `/sign-in?return_to=${encodeURIComponent(addressOf(route, world.things))}`;
    const leadsBack = route.startsWith("GET") && route !== "GET /admin";
    expect(answer.headers.location).toBe(leadsBack ? back : "/sign-in");
  });

  if (access.scope !== "account") {
    test("is not there for a member of nothing", async () => {
      expect((await send(await browserOf("nobody"), route, world.things)).status).toBe(404);
    });
  }

  if (
    ["tenant", "run", "event", "schedule", "backup", "restore", "policy", "selection"].includes(access.scope)
  ) {
    test("is not there for a member whose roles do not cover the tenant", async () => {
      await expectSame(await browserOf("otherTenant"), route, world.things, absent);
    });
  }

  if (route.includes("/:")) {
    test("is not there for the owner of another workspace", async () => {
      await expectSame(await browserOf("elsewhere"), route, world.things, absent);
    });

    test("answers foreign, absent and malformed ids alike", async () => {
      await expectSame(await browserOf("owner"), route, world.foreign, absent);
      await expectSame(await browserOf("owner"), route, malformed, absent);
    });
  }

  const capability = "capability" in access ? access.capability : null;
  if (capability !== null) {
    test(`names ${capability} to a member who lacks it, and who can grant it`, async () => {
      const answer = await send(await browserOf("powerless"), route, world.things);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain(`<code>${capability}</code>`);
      expect(answer.text).toContain(`You may not ${capabilities[capability].replaceAll("'", "&#39;")}`);
      expect(answer.text).toContain("Owner Here can grant it");
    });
  }

  test("opens for somebody who may", async () => {
    const fresh = await createThings(database.db, world.workspace, world.people.owner);
    const answer = await send(await signIn(world.app, world.people.owner.email), route, fresh);
    expect([403, 404]).not.toContain(answer.status);
    expect(answer.status).toBeLessThan(500);
  });
});

describe.each(posted)("%s", (route) => {
  test.each(["signed out", "signed in"])("refuses a form without the session's token, %s", async (who) => {
    const browser = who === "signed in" ? await browserOf("owner") : request.agent(world.app);
    const address = addressOf(route, world.things);
    for (const fields of [{}, { _csrf: "" }, { _csrf: "0".repeat(64) }]) {
      const answer = await browser.post(address).type("form").send(fields);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("This form can no longer be sent");
    }
  });
});

test("a form's token is of no use in another session", async () => {
  const other = await signIn(world.app, world.people.elsewhere.email);
  const token = tokenIn(await other.get("/admin/notifications"));
  const browser = await browserOf("owner");
  const answer = await browser.post("/admin/notifications/reading").type("form").send({ _csrf: token });
  expect(answer.status).toBe(403);
});

test("refusals are in the audit trail, foreign and absent ids alike", async () => {
  const auditor = await createMember(database.db, { workspace: world.workspace, role: "owner" });
  const browser = await signIn(world.app, auditor.email);
  await browser.get(`/admin/operations/${world.foreign.run}`);
  await browser.get(`/admin/operations/${absent.run}`);
  const entries = await database.db.query(
    `select workspace_id as "workspaceId", tenant_id as "tenantId", outcome, details
     from audit_events where action = 'access.refused' and actor_id = $1 order by id`,
    [auditor.id],
  );
  const entry = {
    workspaceId: world.workspace.id,
    tenantId: null,
    outcome: "denied",
    details: { route: "GET /admin/operations/:run", answer: 404, capability: null },
  };
  expect(entries).toEqual([entry, entry]);
});

test("what somebody may is read on every request, not kept in the session", async () => {
  const member = await createMember(database.db, { workspace: world.workspace, role: "owner" });
  const browser = await signIn(world.app, member.email);
  expect((await browser.get(`/admin/operations/${world.things.run}`)).status).toBe(200);
  await database.db.query("delete from role_assignments where user_id = $1", [member.id]);
  expect((await browser.get(`/admin/operations/${world.things.run}`)).status).toBe(404);
});

test("a role that has lapsed, a suspended membership and a suspended workspace grant nothing", async () => {
  const { db } = database;
  const past = new Date(Date.now() - 1000);
  const lapsed = await createMember(db, { workspace: world.workspace, role: "owner", expiresAt: past });
  const suspended = await createUser(db);
  await addMember(db, { workspace: world.workspace, user: suspended, role: "owner", status: "suspended" });
  const closed = await createWorkspace(db, { status: "suspended" });
  const insider = await createMember(db, { workspace: closed, role: "owner" });
  for (const person of [lapsed, suspended, insider]) {
    const browser = await signIn(world.app, person.email);
    expect((await browser.get(`/admin/operations/${world.things.run}`)).status).toBe(404);
  }
});

test("a role's name grants nothing: only what is in it does", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const tenant = await createTenant(db, { workspace });
  const run = await createRun(db, { workspace, tenant });
  await db.query("update roles set capabilities = '{}' where workspace_id = $1 and key = 'owner'", [
    workspace.id,
  ]);
  const owner = await createMember(db, { workspace, role: "owner" });
  const browser = await signIn(world.app, owner.email);
  expect((await browser.get(`/admin/operations/${run.id}`)).status).toBe(403);
  expect((await browser.get("/admin/operations")).status).toBe(403);
});

/** What a form has to say to be more than refused; others say it field by field. */
const fieldsOf: Partial<Record<RouteName, () => Record<string, string>>> = {
  "POST /admin/workspace-selection": () => ({ workspace: world.workspace.id }),
  "POST /admin/tenants/:tenant/connection": () => ({ kind: "secret" }),
};

const browsers = new Map<Person, Browser>();

/** A signed-in browser kept for the whole walk. */
async function browserOf(person: Person): Promise<Browser> {
  const browser = browsers.get(person) ?? (await signIn(world.app, world.people[person].email));
  browsers.set(person, browser);
  return browser;
}

async function send(browser: Browser, route: RouteName, things: Things): Promise<Response> {
  const address = addressOf(route, things);
  if (route.startsWith("GET")) return browser.get(address);
  const form = await browser.get("/admin/notifications").redirects(1);
  return browser
    .post(address)
    .type("form")
    .send({ _csrf: tokenIn(form), ...fieldsOf[route]?.() });
}

function addressOf(route: RouteName, things: Things): string {
  const [, path = ""] = route.split(" ");
  return path.replace(/:(\w+)/g, (_, param) => {
    const found = Object.entries(things).find(([name]) => name === param);
    if (found === undefined) throw new Error(`The access test knows no sample for :${param}.`);
    return found[1];
  });
}

async function expectSame(browser: Browser, route: RouteName, one: Things, other: Things): Promise<void> {
  const first = await send(browser, route, one);
  const second = await send(browser, route, other);
  // Before anything is known about the id, a right that is missing is missing for all of them.
  expect(["member", "role"].includes(accessOf(route).scope) ? [403, 404] : [404]).toContain(first.status);
  expect(comparable(second)).toEqual(comparable(first));
}

function comparable({ status, headers, text }: Response) {
  const { date: _date, "x-request-id": _id, ...rest } = headers;
  return { status, headers: rest, text };
}

function methodsOf(route: { stack: { method: string }[] }): Set<string> {
  return new Set(route.stack.map(({ method }) => method.toUpperCase()));
}

async function createWorld(): Promise<World> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Here" });
  const other = await createWorkspace(db, { name: "Elsewhere" });
  await createRole(db, { workspace, key: "powerless", capabilities: [] });
  const otherTenant = await createTenant(db, { workspace });
  const people = {
    nobody: await createUser(db),
    elsewhere: await createMember(db, { workspace: other, role: "owner" }),
    otherTenant: await createMember(db, { workspace, role: "manager", tenant: otherTenant }),
    powerless: await createMember(db, { workspace, role: "powerless" }),
    owner: await createMember(db, { workspace, role: "owner", name: "Owner Here" }),
  };
  return {
    app: makeApp(db),
    workspace,
    people,
    things: await createThings(db, workspace, people.owner),
    foreign: await createThings(db, other, people.elsewhere),
  };
}
