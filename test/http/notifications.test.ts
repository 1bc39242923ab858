import { beforeAll, expect, test } from "@jest/globals";
import { makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createTenant, createWorkspace, type TestUser } from "../helpers/factories.ts";
import { createNotification, createRun } from "../helpers/runs.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

/** Someone whose syncs of Contoso Retail ended, and what they were told. */
async function createScene(count: number) {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const tenant = await createTenant(db, { workspace, name: "Contoso Retail" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const told: { runId: string; id: string }[] = [];
  for (let n = 0; n < count; n += 1) told.unshift(await tell(omar, { workspace, tenant }));
  return { omar, told, browser: await signIn(app, omar.email) };
}

async function tell(
  user: TestUser,
  given: { workspace: { id: string }; tenant: Awaited<ReturnType<typeof createTenant>> },
) {
  const reasonCode = "missing_capability" as const;
  const run = await createRun(database.db, {
    ...given,
    initiator: user,
    ending: { outcome: "blocked", reasonCode },
  });
  const { id } = await createNotification(database.db, { user, run, outcome: "blocked", reasonCode });
  return { runId: run.id, id };
}

test("a notification tells what happened, why, what to do, and leads to the run", async () => {
  const { browser, told } = await createScene(1);
  const page = await browser.get("/admin/notifications");
  expect(page.text).toContain("Blocked by policy");
  expect(page.text).toContain("at Contoso Retail");
  expect(page.text).toContain("Omar Haddad no longer has inventory.sync. Nothing was changed.");
  expect(page.text).toContain("Have the capability granted");
  expect(page.text).toContain(`href="/admin/operations/${told[0]?.runId}"`);
});

test("unread ones are counted beside every page until they are read, one by one or all", async () => {
  const { browser, told } = await createScene(3);
  const unread = async () => /class="count">(\d+)/.exec((await browser.get("/admin/operations")).text)?.[1];
  expect(await unread()).toBe("3");
  const address = `/admin/notifications/${told[0]?.id}/reading`;
  const answer = await submit(browser, "/admin/notifications", address);
  expect(answer.headers.location).toBe("/admin/notifications");
  expect(await unread()).toBe("2");
  await submit(browser, "/admin/notifications", "/admin/notifications/reading");
  expect(await unread()).toBeUndefined();
});

test("nobody reads what somebody else was told", async () => {
  const { told, browser } = await createScene(1);
  const other = await createScene(0);
  expect((await other.browser.get("/admin/notifications")).text).toContain("Nothing yet");
  const address = `/admin/notifications/${told[0]?.id}/reading`;
  expect((await submit(other.browser, "/admin/notifications", address)).status).toBe(404);
  expect((await browser.get("/admin/notifications")).text).toContain("1 unread");
});

test("once the run is a 404 to its reader, the notification names no tenant and leads nowhere", async () => {
  const { omar, told, browser } = await createScene(1);
  await database.db.query("delete from role_assignments where user_id = $1", [omar.id]);
  const page = await browser.get("/admin/notifications");
  expect(page.text).toContain("Blocked by policy");
  expect(page.text).toContain("<strong>Sync inventory</strong>");
  expect(page.text).toContain("Nothing was changed. You cannot see its details any more.");
  expect(page.text).not.toContain("Contoso");
  expect(page.text).not.toContain(told[0]?.runId ?? "");
  await database.db.query("delete from memberships where user_id = $1", [omar.id]);
  expect((await browser.get("/admin/notifications")).text).not.toContain("Contoso");
});

test("older ones are on the next page", async () => {
  const { browser, told } = await createScene(27);
  const first = await browser.get("/admin/notifications");
  const [, next = ""] = /rel="next" href="([^"]+)"/.exec(first.text) ?? [];
  const second = await browser.get(next);
  const ids = [first, second].flatMap(({ text }) =>
    [...text.matchAll(/id="notification-([0-9a-f-]+)"/g)].map(([, id]) => id),
  );
  expect(ids).toEqual(told.map(({ id }) => id));
});
