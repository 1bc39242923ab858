import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { adatum, contoso, mia, olivia, omar, type Person, sam, type Tenant } from "../../server/demo/seed/cast.ts";
import { directories } from "../../server/demo/seed/directories.ts";
import { pausedBackup } from "../../server/demo/seed/schedules.ts";
import { seed } from "../../server/demo/seed.ts";
import { type Act, quotedBy, type StepName, steps } from "../../server/demo/tour.ts";
import { useDatabase } from "../helpers/database.ts";
import { until } from "../helpers/interleaving.ts";
import { addRawJob, credentialKeys } from "../helpers/queue.ts";
import { getRun, listNotifications } from "../helpers/records.ts";
import { launchChromium } from "./chromium.ts";
import { type Deeds, makeDeeds } from "./deeds.ts";
import { type Processes, startProcesses } from "./processes.ts";
import { expectNoViolations, picture, signIn } from "./visitors.ts";

/**
 * The smoke check: the steps that the demo prints and the README tells, walked by those people in a real Chromium,
 * with web, worker and provider as processes of their own. What an act of the tour quotes has to be on its page.
 * `SCREENSHOTS` names a directory to keep pictures in.
 */

const database = useDatabase();
let processes: Processes;
let browser: Browser;
let deeds: Deeds;
const windows = new Map<Person, Promise<Page>>();
/** The path of the run that the steps are about, and of the first that was blocked. */
let run = "";
let firstBlocked = "";

beforeAll(async () => {
  await seed(database.db, credentialKeys);
  processes = await startProcesses(database.url);
  for (const directory of directories) await processes.control.putDirectory(directory);
  browser = await launchChromium();
  deeds = makeDeeds(processes.url);
}, 60_000);

afterAll(() => browser?.close());
database.beforeDrop(async () => processes?.stop());

describe.each([
  { loses: "the capability", initiator: omar, code: "missing_capability", actIndex: 0 },
  { loses: "the membership", initiator: sam, code: "initiator_not_entitled", actIndex: 1 },
] as const)("the initiator loses $loses", ({ initiator, code, actIndex }) => {
  test(...walk("start", async ([hold, start]) => {
    const page = await windowOf(olivia);
    await deeds.hold(page, contoso);
    await expectSeen(page, hold, `1-hold-${code}`);
    await startAs(initiator, contoso);
    await expectSeen(await windowOf(initiator), start, `1-${code}`);
  }));

  test(...walk("revoke", async (acts) => {
    const page = await windowOf(olivia);
    await (actIndex === 0 ? deeds.askForReadOnly : deeds.askForRemoval)(page, initiator);
    await expectSeen(page, acts[0], `2-${code}`);
    await deeds.confirm(page);
    expect(await getRun(database.db, idIn(run))).toMatchObject({ status: "queued", attempt: 0 });
    expect(acts[actIndex]?.where).toContain(initiator.name);
  }));

  test(...walk("release", async ([, look]) => {
    const page = await windowOf(olivia);
    await deeds.release(page, contoso);
    await untilEnded(run);
    expect(await isListed(page, "failed", run)).toBe(false);
    expect(await isListed(page, "blocked", run)).toBe(true);
    await expectSeen(page, look, `3-${code}`);
  }));

  test(...walk("ended", async ([look, notice, audit]) => {
    const ended = { status: "completed", outcome: "blocked", reasonCode: code, startedAt: null, attempt: 0 };
    expect(await getRun(database.db, idIn(run))).toMatchObject(ended);
    expect(await requestsAt(contoso)).toEqual([]);
    expect(await listNotifications(database.db, idIn(run))).toMatchObject([{ userId: initiator.id }]);
    const page = await open(olivia, run);
    for (const words of ["Blocked by policy", "Nothing was changed", code])
      expect(await textOf(page)).toContain(words);
    await expectNoViolations(page);
    await picture(page, `4-${code}`);
    if (initiator === omar) {
      await expectSeen(await open(omar, run), look, "4-initiator");
      await expectSeen(await open(omar, "/admin/notifications"), notice, "4-notifications");
    } else expect(await statusFor(sam, run)).toBe(404);
    await page.getByRole("link", { name: /audit entry/i }).first().click();
    await expectSeen(page, audit, `4-audit-${code}`);
    expect(await textOf(page)).toContain(olivia.name);
    firstBlocked ||= run;
  }));
});

test("without the loss, the same work reads the directory and succeeds", async () => {
  await startAs(mia, contoso);
  await (await windowOf(mia)).getByRole("heading", { name: /^Succeeded/ }).waitFor();
  expect((await requestsAt(contoso)).length).toBeGreaterThan(3);
});

test(...walk("strangers", async ([unable, member, elsewhere]) => {
  for (const act of [unable, member])
    for (const address of [firstBlocked, "/admin/operations"]) {
      expect(await statusFor(act?.who, address)).toBe(statusIn(act));
      await expectSeen(await windowOf(act?.who), act, `5-${act?.who.name}`);
    }
  expect(await statusFor(elsewhere?.who, firstBlocked)).toBe(statusIn(elsewhere));
}));

test(...walk("suspend", async ([hold, start, suspend, look]) => {
  const page = await windowOf(olivia);
  await deeds.hold(page, adatum);
  await expectSeen(page, hold, "6-hold");
  await startAs(mia, adatum);
  await expectSeen(await windowOf(mia), start, "6-queued");
  await deeds.suspend(page, adatum);
  await deeds.release(page, adatum);
  await untilEnded(run);
  await expectSeen(await open(olivia, `/admin/tenants/${adatum.id}`), suspend, "6-suspended");
  await expectSeen(await open(mia, run), look, "6-ended");
  expect(await getRun(database.db, idIn(run))).toMatchObject({ reasonCode: "tenant_not_operable", attempt: 0 });
  expect(await isListed(page, "failed", run)).toBe(false);
  expect(await requestsAt(adatum)).toEqual([]);
}));

test(...walk("schedule", async ([schedule, asked, notices]) => {
  const { db } = database;
  // Or it would be up to a minute until the worker's clock says so.
  await addRawJob(db, { task: "schedule_tick", payload: {} });
  const runs = () =>
    db.query<{ id: string }>("select id from operation_runs where schedule_id = $1", [pausedBackup.id]);
  await until(async () => (await runs()).length > 0);
  const [{ id } = { id: "" }] = await runs();
  const page = await open(olivia, `/admin/schedules/${pausedBackup.id}`);
  await expectSeen(page, schedule, "7-schedule");
  expect(await isListed(page, "failed", `/admin/operations/${id}`)).toBe(false);
  expect(await isListed(page, "blocked", `/admin/operations/${id}`)).toBe(true);
  await expectSeen(await open(olivia, `/admin/operations/${id}`), asked, "7-run");
  expect(await getRun(db, id)).toMatchObject({ outcome: "blocked", reasonCode: "tenant_not_operable" });
  expect(await listNotifications(db, id)).toEqual([]);
  await expectSeen(await open(olivia, "/admin/notifications"), notices, "7-notifications");
  expect(await requestsAt(pausedBackup.tenant)).toEqual([]);
}));

/** A step of the tour as a test: its number and title, and what walks it. */
function walk(name: StepName, walking: (acts: readonly (Act | undefined)[]) => Promise<void>) {
  const index = steps.findIndex((step) => step.name === name);
  const step = steps[index];
  if (step === undefined) throw new Error(`The tour has no step ${name}.`);
  return [`${index + 1}. ${step.title}`, () => walking(step.acts), 120_000] as const;
}

/** Starts a sync as somebody, with nothing in the provider's log yet. */
async function startAs(person: Person, tenant: Tenant): Promise<void> {
  await processes.control.clearRequests();
  const page = await windowOf(person);
  await deeds.startSync(page, tenant);
  run = new URL(page.url()).pathname;
}

async function expectSeen(page: Page, act: Act | undefined, name: string): Promise<void> {
  if (act === undefined) throw new Error("The tour has no such act.");
  const text = await textOf(page);
  for (const words of quotedBy(act)) expect(text).toContain(words);
  await picture(page, name);
  await expectNoViolations(page);
}

async function isListed(page: Page, outcome: "blocked" | "failed", path: string): Promise<boolean> {
  await page.goto(`${processes.url}/admin/operations?outcome=${outcome}`);
  return (await page.locator(`main a[href="${path}"]`).count()) > 0;
}

async function open(person: Person, path: string): Promise<Page> {
  const page = await windowOf(person);
  await page.goto(`${processes.url}${path}`);
  return page;
}

function windowOf(person: Person | undefined): Promise<Page> {
  if (person === undefined) throw new Error("Nobody looks.");
  const opened = windows.get(person) ?? signIn(browser, processes.url, person);
  windows.set(person, opened);
  return opened;
}

async function statusFor(person: Person | undefined, path: string): Promise<number | undefined> {
  return (await (await windowOf(person)).goto(`${processes.url}${path}`))?.status();
}
