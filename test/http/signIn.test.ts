import { beforeAll, describe, expect, test } from "@jest/globals";
import request, { type Response } from "supertest";
import { makeApp, signIn, submit, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createUser, createWorkspace, password, type TestUser } from "../helpers/factories.ts";

const database = useDatabase();
let app: TestApp;
let olivia: TestUser;
beforeAll(async () => {
  app = makeApp(database.db);
  const workspace = await createWorkspace(database.db);
  olivia = await createMember(database.db, { workspace, role: "owner", name: "Olivia Brandt" });
});

test("the start leads to the sign-in page, and from there in and out again", async () => {
  const browser = request.agent(app);
  expect((await browser.get("/")).headers.location).toBe("/admin");
  expect((await browser.get("/admin")).headers.location).toBe("/sign-in");
  const entered = await submit(browser, "/sign-in", "/sign-in", { email: olivia.email, password });
  expect(entered.headers.location).toBe("/admin");
  const inside = await browser.get("/admin/operations");
  expect(inside.status).toBe(200);
  expect(inside.text).toContain("Olivia Brandt");
  expect((await submit(browser, "/admin/operations", "/sign-out")).headers.location).toBe("/sign-in");
  expect((await browser.get("/admin/operations")).status).toBe(303);
});

test("the address is the same in any case", async () => {
  await signIn(app, olivia.email.toUpperCase());
});

test("signing in renews the session's id, and the old one opens nothing", async () => {
  const browser = request.agent(app);
  const before = sessionIn(await browser.get("/sign-in"));
  const entered = await submit(browser, "/sign-in", "/sign-in", { email: olivia.email, password });
  const after = sessionIn(entered);
  expect(after).not.toBe(before);
  expect((await request(app).get("/admin/operations").set("cookie", before)).status).toBe(303);
  expect((await request(app).get("/admin/operations").set("cookie", after)).status).toBe(200);
});

test("signing out ends the session itself, not only the browser's copy", async () => {
  const browser = request.agent(app);
  const entered = await submit(browser, "/sign-in", "/sign-in", { email: olivia.email, password });
  await submit(browser, "/admin/operations", "/sign-out");
  const thief = await request(app).get("/admin/operations").set("cookie", sessionIn(entered));
  expect(thief.status).toBe(303);
});

describe("times are in the zone", () => {
  const zoneAfter = async (time_zone: string) => {
    const browser = request.agent(app);
    await submit(browser, "/sign-in", "/sign-in", { email: olivia.email, password, time_zone });
    const page = await browser.get("/admin/notifications");
    return /Times in ([^<]+)/.exec(page.text)?.[1];
  };

  test("that the browser names, UTC if it names none or one that nobody knows", async () => {
    expect(await zoneAfter("Asia/Tokyo")).toBe("Asia/Tokyo");
    for (const zone of ["", "Mars/Olympus", "<b>", "x".repeat(500)])
      expect(await zoneAfter(zone)).toBe("UTC");
  });

  test("of somebody's profile before that", async () => {
    const { db } = database;
    await db.query("update user_profiles set time_zone = 'Europe/Berlin' where user_id = $1", [olivia.id]);
    expect(await zoneAfter("Asia/Tokyo")).toBe("Europe/Berlin");
    await db.query("update user_profiles set time_zone = null where user_id = $1", [olivia.id]);
  });
});

describe("afterwards people are back where they were going", () => {
  test("with the address's query", async () => {
    const browser = request.agent(app);
    const sent = await browser.get("/admin/operations?outcome=blocked&status=completed");
    const form = await browser.get(sent.headers.location ?? "");
    const return_to = /name="return_to" value="([^"]*)"/.exec(form.text)?.[1]?.replaceAll("&amp;", "&");
    expect(return_to).toBe("/admin/operations?outcome=blocked&status=completed");
    const entered = await browser
      .post("/sign-in")
      .type("form")
      .send({ _csrf: tokenIn(form), email: olivia.email, password, return_to });
    expect(entered.headers.location).toBe(return_to);
  });

  test.each([
    "//evil.example",
    "//evil.example/admin",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/admin",
    "javascript:alert(1)",
    "/admin/..//evil.example",
    "/admin/../../\\evil.example",
    "/%2e%2e//evil.example",
    "/admin\t//evil.example",
    "/admin/\r\nset-cookie: a=b",
    "/ /evil.example",
    "/adminx",
    "/sign-in",
    "admin",
    "",
  ])("but never at %j", async (return_to) => {
    const browser = request.agent(app);
    const entered = await submit(browser, "/sign-in", "/sign-in", {
      email: olivia.email,
      password,
      return_to,
    });
    expect(entered.headers.location).toBe("/admin");
    const again = await browser.get("/sign-in").query({ return_to });
    expect(again.headers.location).toBe("/admin");
  });
});

test("a wrong password, an unknown address and a disabled account get the same answer", async () => {
  const disabled = await createUser(database.db, { status: "disabled" });
  const answers = await Promise.all([
    tryOnce(olivia.email, "not-the-password"),
    tryOnce("nobody-at-all@example.com", "not-the-password"),
    tryOnce(disabled.email, password),
  ]);
  for (const answer of answers) {
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("The address or the password is not right.");
  }
  expect(new Set(answers.map(withoutOwnWords)).size).toBe(1);
});

test("sign-ins and refusals are audited, without what was typed for an unknown address", async () => {
  const person = await createUser(database.db, { name: "Audited Person" });
  await tryOnce(person.email, "not-the-password");
  await signIn(app, person.email);
  await tryOnce("private-thing@example.com", "secret-typed-by-mistake");
  const entries = await database.db.query(
    `select action, outcome, actor_name as actor, details from audit_events
     where subject_id = $1 order by id`,
    [person.id],
  );
  expect(entries).toEqual([
    { action: "session.refused", outcome: "denied", actor: null, details: { cause: "wrong password" } },
    { action: "session.signed_in", outcome: "done", actor: "Audited Person", details: {} },
  ]);
  const all = await database.db.query<{ text: string }>("select a::text as text from audit_events a");
  expect(all.map(({ text }) => text).join()).not.toMatch(/private-thing|secret-typed/);
});

test("only the form signs in: what stands in the address's query is not read", async () => {
  const query = new URLSearchParams({ email: olivia.email, password });
  for (const fields of [{}, { email: "", password: "" }, { email: olivia.email }, { password }]) {
    const answer = await submit(request.agent(app), "/sign-in", `/sign-in?${query}`, fields);
    expect(answer.status).toBe(401);
  }
});

test("an address that is no text is answered like an unknown one", async () => {
  const [odd, unknown] = [await tryOnce("a\0b", "guess"), await tryOnce("nobody@example.com", "guess")];
  expect(odd.status).toBe(401);
  expect(withoutOwnWords(odd)).toBe(withoutOwnWords(unknown));
});

test("too many tries have to wait, right or wrong, known or not", async () => {
  const person = await createUser(database.db);
  for (const email of [person.email, "never-heard-of@example.com"]) {
    for (let tried = 0; tried < 10; tried += 1) expect((await tryOnce(email, "guess")).status).toBe(401);
    const refused = await tryOnce(email, password);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.text).toContain("There were too many tries. Wait 15 minutes");
  }
  // Only that address is shut, and the table that counts holds no addresses.
  await signIn(app, olivia.email);
  const keys = await database.db.query<{ key: string }>("select key from sign_in_limits");
  expect(keys.map(({ key }) => key).join()).not.toMatch(/@|127/);
});

test.each([
  ["disabled", "update users set status = 'disabled' where id = $1"],
  ["deleted", "delete from users where id = $1"],
])("somebody %s is signed out with their next request", async (_, change) => {
  const person = await createUser(database.db);
  const browser = await signIn(app, person.email);
  expect((await browser.get("/admin")).status).toBe(200);
  const elsewhere = await signIn(app, person.email);
  await database.db.query(change, [person.id]);
  expect((await browser.get("/admin")).headers.location).toBe("/sign-in");
  // Their very next request may as well be for the sign-in page, which has a form again.
  expect(tokenIn(await elsewhere.get("/sign-in"))).toBeDefined();
});

test("the cookie is out of scripts' reach and stays on this site", async () => {
  const [cookie] = (await request(app).get("/sign-in")).get("Set-Cookie") ?? [];
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
});

test("in production the cookie only goes over TLS, as the proxy in front tells it", async () => {
  const production = makeApp(database.db, { NODE_ENV: "production" });
  const plain = await request(production).get("/sign-in");
  expect(plain.get("Set-Cookie")).toBeUndefined();
  const secure = await request(production).get("/sign-in").set("x-forwarded-proto", "https");
  expect(secure.get("Set-Cookie")?.[0]).toMatch(/; Secure/);
  expect(secure.headers["strict-transport-security"]).toBeDefined();
});

test("a polled part of a page sends the whole page to the sign-in page", async () => {
  const answer = await request(app).get("/admin/operations").set("hx-request", "true");
  expect(answer.status).toBe(204);
  expect(answer.headers["hx-redirect"]).toBe("/sign-in?return_to=%2Fadmin%2Foperations");
});

test("pages allow nothing but our own scripts and styles, and have none inline", async () => {
  const page = await request(app).get("/sign-in");
  expect(page.headers["content-security-policy"]).toBe(
    "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';" +
      "form-action 'self';frame-ancestors 'none';base-uri 'none'",
  );
  expect(page.headers["cache-control"]).toBe("no-store");
  expect(page.headers.etag).toBeUndefined();
  expect(page.text).not.toMatch(/<style|style="|<script(?![^>]* src=)|\son\w+="/);
});

test("what pages load is there and may be kept for good", async () => {
  const page = await request(app).get("/sign-in");
  const files = [...page.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file ?? "");
  expect(files).toHaveLength(4);
  for (const file of files) {
    const answer = await request(app).get(file);
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toContain("immutable");
  }
});

async function tryOnce(email: string, given: string): Promise<Response> {
  return submit(request.agent(app), "/sign-in", "/sign-in", { email, password: given });
}

/** The page without the token and the address that was typed. */
function withoutOwnWords({ text }: Response): string {
  return text.replace(/name="_csrf" value="\w+"/g, "").replace(/type="email".*/g, "");
}

function sessionIn(answer: Response): string {
  const [cookie = ""] = answer.get("Set-Cookie") ?? [];
  return cookie.split(";")[0] ?? "";
}
