import { once } from "node:events";
import type { Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import request from "supertest";
import { makeApp, submit, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { addMember, createUser, createWorkspace, password, type TestUser } from "../helpers/factories.ts";
import { follow, openSession, untilSessionsWait } from "../helpers/interleaving.ts";

const database = useDatabase();
let app: TestApp;
let server: Server;
let olivia: TestUser;
let second: { id: string };
beforeAll(async () => {
  const { db } = database;
  app = makeApp(db);
  server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  olivia = await createUser(db);
  for (const name of ["First of two", "Second of two"]) {
    second = await createWorkspace(db, { name });
    await addMember(db, { workspace: second, user: olivia, role: "owner" });
  }
});
afterAll(async () => {
  server.close();
  await once(server, "close");
});

// A browser follows a redirect as soon as its headers are there. What the next page needs is stored by then.
test("what an action did is stored before its answer begins", async () => {
  const browser = await enter();
  await expectStoredFirst(browser, "/admin/hold", { reason: "a look at what runs", for_hours: "" });
  expect((await browser.open("/admin/hold")).text).toContain("nothing starts at any tenant");
});

test("the workspace somebody switched to is stored before the answer begins", async () => {
  const browser = await enter();
  await expectStoredFirst(browser, "/admin/workspace-selection", { workspace: second.id });
  expect((await browser.open("/admin/operations")).text).toContain(`<option value="${second.id}" selected>`);
});

type Visit = Awaited<ReturnType<typeof enter>>;

async function enter() {
  const entered = await submit(request.agent(app), "/sign-in", "/sign-in", { email: olivia.email, password });
  const cookie = entered.get("Set-Cookie")?.[0]?.split(";")[0] ?? "";
  return { cookie, open: (path: string) => request(app).get(path).set("cookie", cookie) };
}

/** Sends a form while sessions cannot be written, and sees that not even the answer's headers come. */
async function expectStoredFirst({ cookie, open }: Visit, action: string, fields: Record<string, string>) {
  const body = new URLSearchParams({ _csrf: tokenIn(await open("/admin/notifications")), ...fields });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const holder = await openSession(database.url);
  try {
    await holder.query("begin");
    await holder.query("select from sessions for update");
    const answer = follow(
      fetch(`http://127.0.0.1:${port}${action}`, {
        method: "POST",
        redirect: "manual",
        headers: { cookie },
        body,
      }),
    );
    await untilSessionsWait(database.db, 1);
    expect(answer.done).toBe(false);
    await holder.query("rollback");
    expect((await answer.result).status).toBe(303);
  } finally {
    await holder.end();
  }
}
