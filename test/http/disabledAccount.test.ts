import { beforeAll, expect, test } from "@jest/globals";
import request from "supertest";
import { findAccount } from "../../server/domain/people/accounts.ts";
import { disableAccount, enableAccount } from "../../server/domain/people/disableAccount.ts";
import { makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createWorkspace, password, type TestUser } from "../helpers/factories.ts";

const database = useDatabase();
let app: TestApp;
let omar: TestUser;
let olivia: TestUser;

beforeAll(async () => {
  const { db } = database;
  app = makeApp(db);
  const workspace = await createWorkspace(db);
  olivia = await createMember(db, { workspace, role: "owner" });
  omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
});

const disable = () => disableAccount(database.db, { userId: omar.id, leavesWithoutOwner: false });

test("a disabled person is signed out at their next request and cannot sign in again", async () => {
  const browser = await signIn(app, omar.email);
  const another = await signIn(app, olivia.email);
  await disable();
  const answer = await browser.get("/admin/tenants");
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toBe("/sign-in?return_to=%2Fadmin%2Ftenants");
  const refused = await submit(request.agent(app), "/sign-in", "/sign-in", { email: omar.email, password });
  const wrong = await submit(request.agent(app), "/sign-in", "/sign-in", {
    email: olivia.email,
    password: "not-the-password",
  });
  for (const page of [refused, wrong]) {
    expect(page.status).toBe(401);
    expect(page.text).toContain("The address or the password is not right.");
  }
  expect((await another.get("/admin/tenants")).status).toBe(200);
  expect((await another.get(`/admin/members/${omar.id}`)).text).toContain(
    "The account is disabled: nothing happens under its rights.",
  );
  await enableAccount(database.db, omar.id);
});

test("no session of before lives on when the account is enabled again, wherever it was left open", async () => {
  const { db } = database;
  const browsers = [await signIn(app, omar.email), await signIn(app, omar.email)];
  expect(await findAccount(db, omar.email)).toMatchObject({ sessions: 2 });
  expect(await disable()).toMatchObject({ sessions: 2 });
  await enableAccount(db, omar.id);
  for (const browser of browsers) expect((await browser.get("/admin/tenants")).status).toBe(303);
  expect((await (await signIn(app, omar.email)).get("/admin/tenants")).status).toBe(200);
});

test("nor does one that a request under way put back after they were ended", async () => {
  const { db } = database;
  const browser = await signIn(app, omar.email);
  const kept = await db.query("select sid, sess, expire from sessions");
  await disable();
  // What the session store does at the end of a request that changed something in it.
  await db.query(
    `insert into sessions select * from json_populate_recordset(null::sessions, $1)
     on conflict (sid) do nothing`,
    [JSON.stringify(kept)],
  );
  expect((await findAccount(db, omar.email))?.sessions).toBeGreaterThan(0);
  await enableAccount(db, omar.id);
  expect((await browser.get("/admin/tenants")).status).toBe(303);
});
