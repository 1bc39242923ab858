import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { type Browser, makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createConnection, createMember, createTenant, createWorkspace } from "../helpers/factories.ts";
import { getRun, startsWithin } from "../helpers/records.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db, { REQUEST_EXPIRY_HOURS: 12 });
});

type Scene = { browser: Browser; tenant: string; start: string };

async function createScene(): Promise<Scene> {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  await createConnection(db, { tenant: contoso });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const tenant = `/admin/tenants/${contoso.id}`;
  return { browser: await signIn(app, omar.email), tenant, start: `${tenant}/operations` };
}

describe("do not start after", () => {
  test("is chosen on the form, with the installation's own among the choices and chosen", async () => {
    const { browser, tenant } = await createScene();
    const page = (await browser.get(tenant)).text;
    const [, select = ""] = /Do not start after <select name="start_within">(.*?)<\/select>/.exec(page) ?? [];
    const options = [...select.matchAll(/value="(\d+)"( selected)?>([^<]+)</g)];
    expect(options.map(([, hours, chosen, label]) => [hours, chosen !== undefined, label])).toEqual([
      ["1", false, "1 hour from now"],
      ["4", false, "4 hours from now"],
      ["12", true, "12 hours from now"],
      ["24", false, "1 day from now"],
      ["168", false, "7 days from now"],
    ]);
  });

  test.each([
    [{ start_within: "1" }, 1],
    [{ start_within: "168" }, 168],
    [{}, 12],
  ])("%j is kept with the run and shown on its page", async (field, hours) => {
    const scene = await createScene();
    const answer = await start(scene, field);
    const runId = answer.headers.location?.split("/").at(-1) ?? "";
    expect(await startsWithin(database.db, runId)).toBe(hours);
    expect((await scene.browser.get(`/admin/operations/${runId}`)).text).toContain("Not to start after");
  });

  test("takes no other time than those offered", async () => {
    expect((await start(await createScene(), { start_within: "100000" })).status).toBe(422);
  });
});

describe("starting what is open already", () => {
  test("shows the open one and starts nothing, unless told to start another anyway", async () => {
    const scene = await createScene();
    const first = await start(scene, {});
    const second = await start(scene, { start_within: "4" });
    expect(second.status).toBe(409);
    expect(second.text).toContain("An identical run is waiting already");
    expect(second.text).toContain("asked for by you");
    expect(second.text).toContain(`href="${first.headers.location}">View run`);
    expect(second.text).toContain('name="start_within" value="4"');
    expect(second.text).toContain('name="force" value="yes"');
    const third = await start(scene, { force: "yes" });
    expect(third.status).toBe(303);
    expect(third.headers.location).not.toBe(first.headers.location);
  });

  test("a form that was used before for something else is a 409 that says so, not the other run", async () => {
    const scene = await createScene();
    const requestKey = randomUUID();
    const first = await start(scene, { request_key: requestKey });
    const other = await start(scene, { request_key: requestKey, operation: "provider.connection.verify" });
    expect(other.status).toBe(409);
    expect(other.text).toContain("This form was used before, to start something else.");
    const runId = first.headers.location?.split("/").at(-1) ?? "";
    expect(await getRun(database.db, runId)).toMatchObject({ status: "queued" });
  });
});

test("what starts from something else than a tenant is not understood here", async () => {
  expect((await start(await createScene(), { operation: "restore.execute" })).status).toBe(422);
});

function start({ browser, tenant, start: action }: Scene, fields: Record<string, string>): Promise<Response> {
  return submit(browser, tenant, action, {
    operation: "inventory.sync",
    request_key: randomUUID(),
    ...fields,
  });
}
