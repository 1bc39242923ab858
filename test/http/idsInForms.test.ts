import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { type Browser, makeApp, signIn, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  addMember,
  createMember,
  createUser,
  createWorkspace,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { createThings, type Things, thingsNamed } from "../helpers/things.ts";

const database = useDatabase();

type Named = Things & { workspace: string };
type Sent = { address: string; fields?: Record<string, string> };
/** `own` is the sender's, of `other` they must not learn whether it exists. */
type Case = (own: Named, other: Named) => Sent;

const key = { request_key: randomUUID(), start_within: "24" };

// What an address or a form names beside what the address is about. The guard asks about the latter alone.
const cases: Record<string, Case> = {
  "GET operations, filtered": (_own, { tenant, member }) => ({
    address: `/admin/operations?tenant=${tenant}&initiator=${member}&attention=`,
  }),
  "GET operations, by a run's id": (_own, { run }) => ({ address: `/admin/operations?text=${run}` }),
  "GET operations, a page of": (_own, { run }) => ({ address: `/admin/operations?before=${run}` }),
  "GET tenants, a page of": (_own, { tenant }) => ({ address: `/admin/tenants?after=${tenant}` }),
  "GET inventory": (_own, { tenant }) => ({ address: `/admin/inventory?tenant=${tenant}` }),
  "GET inventory, a page of": (_own, { policy }) => ({ address: `/admin/inventory?after=${policy}` }),
  "GET backups": (_own, { tenant }) => ({ address: `/admin/backups?tenant=${tenant}` }),
  "GET backups, a page of": (_own, { backup }) => ({ address: `/admin/backups?before=${backup}` }),
  "GET schedules": (_own, { tenant }) => ({ address: `/admin/schedules?tenant=${tenant}` }),
  "GET schedules, a page of": (_own, { schedule }) => ({ address: `/admin/schedules?after=${schedule}` }),
  "GET audit, a page of": (_own, { event }) => ({ address: `/admin/audit?before=${event}` }),
  "GET a backup's items": (own, { item }) => ({ address: `/admin/backups/${own.backup}?after=${item}` }),
  "GET a backup's item": (own, { item }) => ({ address: `/admin/backups/${own.backup}/items/${item}` }),
  "GET a comparison": (own, { backup }) => ({
    address: `/admin/backups/${own.backup}/comparison?with=${backup}`,
  }),
  "GET a compared item": (own, { backup, item }) => ({
    address: `/admin/backups/${own.backup}/comparison/item?with=${backup}&left=${own.item}&right=${item}`,
  }),
  "GET a new restore": (own, { item }) => ({
    address: `/admin/backups/${own.backup}/restores/new?item=${item}`,
  }),
  "POST a restore to a tenant": (own, { tenant }) => ({
    address: `/admin/backups/${own.backup}/restores`,
    fields: { ...key, tenant, types: "deviceConfigurations" },
  }),
  "POST a restore of items": (own, { item }) => ({
    address: `/admin/backups/${own.backup}/restores`,
    fields: { ...key, tenant: own.tenant, item },
  }),
  "POST what a hold lets through": (own, { run }) => ({
    address: `/admin/tenants/${own.tenant}/hold/runs`,
    fields: { run },
  }),
  "POST a selection": (_own, { policy }) => ({
    address: "/admin/bulk/selections",
    fields: { operation: "policies.bulk_delete", policy },
  }),
  "POST a selection of all": (_own, { tenant }) => ({
    address: "/admin/bulk/selections",
    fields: { operation: "policies.bulk_delete", all: "yes", count: "1", tenant },
  }),
  "GET many tenants' sync": (_own, { tenant }) => ({ address: `/admin/bulk/sync?tenant=${tenant}` }),
  "GET many tenants' sync again": (_own, { run }) => ({ address: `/admin/bulk/sync?again=${run}` }),
  "POST many tenants' sync": (_own, { tenant }) => ({
    address: "/admin/bulk/sync",
    fields: { ...key, tenant, count: "1" },
  }),
  "GET backups' deletion": (_own, { backup }) => ({ address: `/admin/bulk/backups?set=${backup}` }),
  "GET backups' deletion again": (_own, { run }) => ({ address: `/admin/bulk/backups?again=${run}` }),
  "POST backups' deletion": (_own, { backup }) => ({
    address: "/admin/bulk/backups",
    fields: { ...key, set: backup, count: "1", tenant_name: "x", reason: "x" },
  }),
  "GET a new schedule": (_own, { tenant }) => ({ address: `/admin/schedules/new?tenant=${tenant}` }),
  "POST a schedule": (_own, { tenant }) => ({
    address: "/admin/schedules",
    fields: {
      operation: "provider.connection.verify",
      tenant,
      cron: "30 2 * * *",
      time_zone: "UTC",
      intent: "save",
    },
  }),
  "GET schedules' transfer": (_own, { schedule }) => ({
    address: `/admin/schedules/transfer?schedule=${schedule}`,
  }),
  "POST schedules' transfer": (_own, { schedule }) => ({
    address: "/admin/schedules/transfer",
    fields: { schedule },
  }),
  "POST schedules' transfer to somebody": (own, { member }) => ({
    address: "/admin/schedules/transfer",
    fields: { schedule: own.schedule, steward: member },
  }),
  "POST a workspace selection": (_own, { workspace }) => ({
    address: "/admin/workspace-selection",
    fields: { workspace },
  }),
};

const ofMembers: Record<string, Case> = {
  "GET members, a page of": (_own, { member }) => ({ address: `/admin/members?after=${member}` }),
  "POST an assignment at a tenant": (own, { tenant }) => ({
    address: `/admin/members/${own.member}/assignments`,
    fields: { role: own.role, tenant, for_hours: "" },
  }),
  "POST an assignment of a role": (own, { role }) => ({
    address: `/admin/members/${own.member}/assignments`,
    fields: { role, tenant: "", for_hours: "" },
  }),
  "GET a change to a role": (own, { role }) => ({
    address: `/admin/members/${own.member}/assignments/${own.assignment}/role?role=${role}`,
  }),
  "GET a change of an assignment": (own, { assignment }) => ({
    address: `/admin/members/${own.member}/assignments/${assignment}/end`,
  }),
};

let owner: Browser;
let manager: Browser;
let own: Named;
let nextDoor: Named;
let elsewhere: Named;
beforeAll(async () => {
  const { db } = database;
  const app = makeApp(db);
  const workspace = await createWorkspace(db);
  own = await createNamed(workspace);
  nextDoor = await createNamed(workspace);
  elsewhere = await createNamed(await createWorkspace(db));
  owner = await signIn(app, (await createMember(db, { workspace, role: "owner" })).email);
  const person = await createUser(db);
  await addMember(db, { workspace, user: person, role: "manager", tenant: { id: own.tenant } });
  manager = await signIn(app, person.email);
});

async function createNamed(workspace: TestWorkspace): Promise<Named> {
  const { db } = database;
  const person = await createMember(db, { workspace, role: "owner" });
  const things = await createThings(db, workspace, person);
  return { ...things, workspace: workspace.id };
}

describe("what is of another workspace reads as what does not exist", () => {
  test.each(Object.entries({ ...cases, ...ofMembers }))("%s", async (_title, about) => {
    const there = await answerTo(owner, about(own, elsewhere));
    expect(there).toEqual(await answerTo(owner, about(own, absentBeside(elsewhere))));
  });
});

describe("what is at a tenant that no role covers reads as what does not exist", () => {
  test.each(Object.entries(cases))("%s", async (_title, about) => {
    const other = { ...nextDoor, workspace: elsewhere.workspace };
    const there = await answerTo(manager, about(own, other));
    expect(there).toEqual(await answerTo(manager, about(own, absentBeside(other))));
  });
});

/** Ids are times: what does not exist stands where the other does in a list, so that only its absence differs. */
function absentBeside(other: Named): Named {
  const beside = (id: string) => `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`;
  return { ...thingsNamed((param) => beside(other[param])), workspace: beside(other.workspace) };
}

async function answerTo(browser: Browser, { address, fields }: Sent) {
  if (fields === undefined) return comparable(await browser.get(address));
  const _csrf = tokenIn(await browser.get("/admin/notifications"));
  return comparable(
    await browser
      .post(address)
      .type("form")
      .send({ _csrf, ...fields }),
  );
}

/** Forms show again what was sent, under keys that are new each time: any id is as good as another. */
function comparable({ status, headers, text }: Response) {
  const { date: _date, "x-request-id": _id, ...rest } = headers;
  return JSON.parse(
    JSON.stringify({ status, rest, text }).replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "id"),
  );
}
