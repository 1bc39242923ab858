import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "@jest/globals";
import request, { type Response } from "supertest";
import { recordAudit } from "../../server/domain/audit/recordAudit.ts";
import { capabilities } from "../../server/domain/authority/capabilities.ts";
import { type Access, accessOf, accessTable, isRouteName, type RouteName } from "../../server/http/accessTable.ts";
import { type Browser, makeApp, signIn, submit, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  addMember,
  createMember,
  createRole,
  createTenant,
  createUser,
  createWorkspace,
  type TestUser,
} from "../helpers/factories.ts";
import { createNotification, createRun } from "../helpers/runs.ts";

const database = useDatabase();

type Param = "tenant" | "run" | "event" | "member" | "notification";
/** One of each thing an address can name. A new kind of `:param` needs a line here and in `createThings`. */
type Things = Record<Param, string>;

type World = {
  app: TestApp;
  here: Things;
  foreign: Things;
  absent: Things;
  people: Record<"nobody" | "elsewhere" | "otherTenant" | "powerless" | "owner", TestUser>;
};

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const routes = Object.keys(accessTable).filter(isRouteName);
const guarded = routes.filter((route) => accessOf(route).scope !== "public");
const withParam = guarded.filter((route) => route.includes("/:"));

test("the router serves what is in the access table, and nothing else", () => {
  const served = world.app.router.stack.flatMap(({ route }) =>
    route === undefined ? [] : [...methodsOf(route.stack)].map((method) => `${method} ${route.path}`),
  );
  expect(served.sort()).toEqual([...routes].sort());
});

describe.each(guarded)("%s", (route) => {
  const access = accessOf(route);

  test("sends the signed-out to the sign-in page", async () => {
    const answer = await send(request.agent(world.app), route, world.here);
    expect(answer.status).toBe(303);
    const back = `/sign-in?return_to=${encodeURIComponent(addressOf(route, world.here))}`;
    const plain = route === "GET /admin" || route.startsWith("POST");
    expect(answer.headers.location).toBe(plain ? "/sign-in" : back);
  });

  if (access.scope !== "account") {
    test("is not there for a member of nothing", async () => {
      const browser = await signIn(world.app, world.people.nobody.email);
      expect((await send(browser, route, world.here)).status).toBe(404);
    });
  }

  if (isAtTenant(access)) {
    test("is not there for a member whose roles do not cover the tenant", async () => {
      const browser = await signIn(world.app, world.people.otherTenant.email);
      await expectSame(browser, route, world.here, world.absent);
    });
  }

  if (route.includes("/:")) {
    test("is not there for the owner of another workspace", async () => {
      const browser = await signIn(world.app, world.people.elsewhere.email);
      await expectSame(browser, route, world.here, world.absent);
    });

    test("answers foreign, absent and malformed ids alike", async () => {
      const browser = await signIn(world.app, world.people.owner.email);
      await expectSame(browser, route, world.foreign, world.absent);
      await expectSame(browser, route, malformed, world.absent);
    });
  }

  const capability = "capability" in access ? access.capability : null;
  if (capability !== null) {
    test(`names ${capability} to a member who lacks it`, async () => {
      const browser = await signIn(world.app, world.people.powerless.email);
      const answer = await send(browser, route, world.here);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain(`<code>${capability}</code>`);
      expect(answer.text).toContain(capabilities[capability].replaceAll("'", "&#39;"));
      expect(answer.text).toContain("Owner Here can grant it");
    });
  }

  test("opens for somebody who may", async () => {
    const browser = await signIn(world.app, world.people.owner.email);
    const answer = await send(browser, route, await createThings(world.owned));
    expect([403, 404]).not.toContain(answer.status);
    expect(answer.status).toBeLessThan(500);
  });
});
