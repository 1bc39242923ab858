import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { contoso, getRole, northwind, omar, type Person } from "../../server/demo/seed/cast.ts";
import { directories } from "../../server/demo/seed/directories.ts";
import { seed } from "../../server/demo/seed.ts";
import { accounts, steps, strangers } from "../../server/demo/tour.ts";
import { accountsForReadme, tourForReadme, welcome } from "../../server/demo/tourText.ts";
import { type Browser, makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { credentialKeys, drainQueue, makeTestWorker } from "../helpers/queue.ts";

const database = useDatabase();
const installation: { app?: TestApp; sandbox?: Sandbox; worker?: WorkerDeps } = {};
beforeAll(async () => {
  await seed(database.db, credentialKeys);
  const sandbox = await startSandbox({ port: 0, directories });
  Object.assign(installation, {
    sandbox,
    app: makeApp(database.db),
    worker: makeTestWorker(database.db, sandbox.url),
  });
});
afterAll(() => installation.sandbox?.close());

test("the README tells the accounts and the tour as the demo prints them", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(readme).toContain(accountsForReadme());
  expect(readme).toContain(tourForReadme());
  const printed = welcome({ address: "http://localhost:3000", databaseUrl: "postgres://x" });
  for (const { person } of accounts) expect(printed).toContain(person.email);
  for (const { does } of steps) expect(printed).toContain(does);
});

test("there are five steps, and they end as they say", async () => {
  expect(steps).toHaveLength(5);
  const tenantPage = `/admin/tenants/${contoso.id}`;
  const olivia = await browserOf(steps[0]?.who);
  const initiator = await browserOf(steps[1]?.who);

  await submit(olivia, tenantPage, `${tenantPage}/hold`, { reason: "credential rotation", for_hours: "" });
  expect((await olivia.get(tenantPage)).text).toContain("credential rotation");

  const form = (await initiator.get(tenantPage)).text;
  const requestKey =
    /name="operation" value="inventory.sync">\s*<input[^>]*name="request_key" value="([^"]+)"/.exec(form);
  const requested = await submit(initiator, tenantPage, `${tenantPage}/operations`, {
    operation: "inventory.sync",
    request_key: requestKey?.[1] ?? "",
  });
  const runPage = requested.headers.location ?? "";
  await drain();
  expect((await initiator.get(runPage)).text).toContain("credential rotation");

  await makeReadOnly(olivia);

  await submit(olivia, tenantPage, `${tenantPage}/release`);
  await drain();

  const ended = (await initiator.get(runPage)).text;
  expect(ended).toContain("Blocked by policy: Omar Haddad no longer has inventory.sync");
  expect(ended).toContain("Nothing was changed");
  expect((await initiator.get("/admin/notifications")).text).toContain("Blocked by policy");
  expect((await olivia.get("/admin/audit")).text).toContain("Omar Haddad");

  for (const { who, sees } of strangers) {
    const answer = await (await browserOf(who)).get(runPage);
    expect([who?.name, answer.status]).toEqual([who?.name, Number.parseInt(sees, 10)]);
  }
});

async function makeReadOnly(olivia: Browser): Promise<void> {
  const memberPage = `/admin/members/${omar.id}`;
  const base = /\/admin\/members\/[^"]*\/assignments\/[0-9a-f-]+/.exec(
    (await olivia.get(memberPage)).text,
  )?.[0];
  const readOnly = getRole(northwind, "readonly").id;
  const asking = await olivia.get(`${base}/role?role=${readOnly}`);
  expect(asking.text).toMatch(/1 queued run/);
  const changed = await submit(olivia, `${base}/role?role=${readOnly}`, `${base}/role`, { role: readOnly });
  expect(changed.status).toBe(303);
}

function browserOf(person: Person | null | undefined): Promise<Browser> {
  if (installation.app === undefined || !person) throw new Error("The tour needs an app and a person.");
  return signIn(installation.app, person.email);
}

async function drain(): Promise<void> {
  if (installation.worker === undefined) throw new Error("The tour needs a worker.");
  await drainQueue(installation.worker);
}
