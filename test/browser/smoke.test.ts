import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import {
  adatum,
  contoso,
  mia,
  olivia,
  omar,
  type Person,
  sam,
  type Tenant,
} from "../../server/demo/seed/cast.ts";
import { directories } from "../../server/demo/seed/directories.ts";
import { pausedBackup } from "../../server/demo/seed/schedules.ts";
import { seed } from "../../server/demo/seed.ts";
import { useDatabase } from "../helpers/database.ts";
import { until } from "../helpers/interleaving.ts";
import { addRawJob, credentialKeys } from "../helpers/queue.ts";
import { getRun, listNotifications, type RunRecord } from "../helpers/records.ts";
import { launchChromium } from "./chromium.ts";
import { type Deeds, makeDeeds } from "./deeds.ts";
import { type Processes, startProcesses } from "./processes.ts";
import { expectSeen, statusIn, walk } from "./tourSteps.ts";
import { expectNoViolations, makeVisitors, picture, textOf } from "./visitors.ts";

/**
 * The smoke check: the steps that the demo prints and the README tells, walked by those people in a real Chromium,
 * with web, worker and provider as processes of their own. What an act of the tour quotes has to be on its page.
 * `SCREENSHOTS` names a directory to keep pictures in.
 */

const database = useDatabase();
let processes: Processes;
let browser: Browser;
let deeds: Deeds;
let visitors: ReturnType<typeof makeVisitors>;
/** The path of the run that the steps are about, and of the first that was blocked. */
let run = "";
let firstBlocked = "";

beforeAll(async () => {
  await seed(database.db, credentialKeys);
  processes = await startProcesses(database.url);
  for (const directory of directories) await processes.control.putDirectory(directory);
  browser = await launchChromium();
  visitors = makeVisitors(browser, processes.url);
  deeds = makeDeeds(processes.url);
}, 60_000);

afterAll(() => browser?.close());
database.beforeDrop(async () => processes?.stop());

describe.each([
  { loses: "the capability", initiator: omar, code: "missing_capability", actIndex: 0 },
  { loses: "the membership", initiator: sam, code: "initiator_not_entitled", actIndex: 1 },
] as const)("the initiator loses $loses", ({ initiator, code, actIndex }) => {
  test(
    ...walk("start", async (act) => {
      const page = await visitors.windowOf(olivia);
      await deeds.hold(page, contoso);
      await expectSeen(page, act(0), `1-hold-${code}`);
      await startAs(initiator, contoso);
      await expectSeen(await visitors.windowOf(initiator), act(1), `1-${code}`);
    }),
  );

  test(
    ...walk("revoke", async (act) => {
      const page = await visitors.windowOf(olivia);
      await (actIndex === 0 ? deeds.askForReadOnly : deeds.askForRemoval)(page, initiator);
      await expectSeen(page, act(0), `2-${code}`);
      await deeds.confirm(page);
      expect(await getRun(database.db, idOf(run))).toMatchObject({ status: "queued", attempt: 0 });
      expect(act(actIndex).where).toContain(initiator.name);
    }),
  );

  test(
    ...walk("release", async (act) => {
      const page = await visitors.windowOf(olivia);
      await deeds.release(page, contoso);
      await getEnded();
      expect(await visitors.isListed(page, "failed", run)).toBe(false);
      expect(await visitors.isListed(page, "blocked", run)).toBe(true);
      await expectSeen(page, act(1), `3-${code}`);
    }),
  );

  test(
    ...walk("ended", async (act) => {
      const nothing = { startedAt: null, attempt: 0, effectsDone: 0 };
      expect(await getEnded()).toMatchObject({ outcome: "blocked", reasonCode: code, ...nothing });
      expect(await requestsAt(contoso)).toEqual([]);
      expect(await listNotifications(database.db, idOf(run))).toMatchObject([{ userId: initiator.id }]);
      const page = await visitors.open(olivia, run);
      for (const words of ["Blocked by policy", "Nothing was changed", code])
        expect(await textOf(page)).toContain(words);
      await expectNoViolations(page);
      await picture(page, `4-${code}`);
      if (initiator === omar) {
        // The page has followed by itself; nobody reloaded it.
        const own = await visitors.windowOf(omar);
        await own.getByRole("heading", { name: /^Blocked by policy/ }).waitFor();
        await expectSeen(own, act(0), "4-initiator");
        await expectSeen(await visitors.open(omar, "/admin/notifications"), act(1), "4-notifications");
      } else expect(await visitors.statusFor(sam, run)).toBe(404);
      await page.locator("main").getByText("audit entry").click();
      await expectSeen(page, act(2), `4-audit-${code}`);
      expect(await textOf(page)).toContain(olivia.name);
      firstBlocked ||= run;
    }),
  );
});

test("without the loss, the same work reads the directory and succeeds", async () => {
  await startAs(mia, contoso);
  await (await visitors.windowOf(mia)).getByRole("heading", { name: /^Succeeded/ }).waitFor();
  expect((await requestsAt(contoso)).length).toBeGreaterThan(3);
  const page = await visitors.open(mia, `/admin/tenants/${contoso.id}`);
  expect(await textOf(page)).toContain("Settings catalog policies");
  await expectNoViolations(page);
});

test(
  ...walk("strangers", async (act) => {
    for (const refused of [act(0), act(1)])
      for (const address of [firstBlocked, "/admin/operations"]) {
        expect(await visitors.statusFor(refused.who, address)).toBe(statusIn(refused));
        await expectSeen(await visitors.windowOf(refused.who), refused, `5-${refused.who.name}`);
      }
    expect(await visitors.statusFor(act(2).who, firstBlocked)).toBe(statusIn(act(2)));
  }),
);

test(
  ...walk("suspend", async (act) => {
    const page = await visitors.windowOf(olivia);
    await deeds.hold(page, adatum);
    await expectSeen(page, act(0), "6-hold");
    await startAs(mia, adatum);
    await expectSeen(await visitors.windowOf(mia), act(1), "6-queued");
    await deeds.suspend(page, adatum);
    await deeds.release(page, adatum);
    expect(await getEnded()).toMatchObject({ reasonCode: "tenant_not_operable", attempt: 0 });
    await expectSeen(await visitors.open(olivia, `/admin/tenants/${adatum.id}`), act(2), "6-suspended");
    await expectSeen(await visitors.open(mia, run), act(3), "6-ended");
    expect(await visitors.isListed(page, "failed", run)).toBe(false);
    expect(await requestsAt(adatum)).toEqual([]);
  }),
);

test(
  ...walk("schedule", async (act) => {
    const { db } = database;
    // Or it would be up to a minute until the worker's clock says so.
    await addRawJob(db, { task: "schedule_tick", payload: {} });
    const runs = () =>
      db.query<{ id: string }>("select id from operation_runs where schedule_id = $1", [pausedBackup.id]);
    await until(async () => (await runs()).length > 0);
    const [{ id } = { id: "" }] = await runs();
    const page = await visitors.open(olivia, `/admin/schedules/${pausedBackup.id}`);
    await expectSeen(page, act(0), "7-schedule");
    expect(await visitors.isListed(page, "failed", `/admin/operations/${id}`)).toBe(false);
    expect(await visitors.isListed(page, "blocked", `/admin/operations/${id}`)).toBe(true);
    await expectSeen(await visitors.open(olivia, `/admin/operations/${id}`), act(1), "7-run");
    expect(await getRun(db, id)).toMatchObject({ outcome: "blocked", reasonCode: "tenant_not_operable" });
    expect(await listNotifications(db, id)).toEqual([]);
    await expectSeen(await visitors.open(olivia, "/admin/notifications"), act(2), "7-notifications");
    expect(await requestsAt(pausedBackup.tenant)).toEqual([]);
  }),
);

/** Starts a sync as somebody, with nothing in the provider's log yet. */
async function startAs(person: Person, tenant: Tenant): Promise<void> {
  await processes.control.clearRequests();
  const page = await visitors.windowOf(person);
  await deeds.startSync(page, tenant);
  run = new URL(page.url()).pathname;
}

async function getEnded(): Promise<RunRecord> {
  await until(async () => (await getRun(database.db, idOf(run))).status === "completed");
  return getRun(database.db, idOf(run));
}

function idOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What the provider was asked on behalf of the tenant. */
function requestsAt({ directoryId }: Tenant) {
  return processes.control.requests(directoryId);
}
