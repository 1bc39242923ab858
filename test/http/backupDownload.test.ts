import { randomBytes } from "node:crypto";
import type { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import { beforeAll, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import type { Db } from "../../server/db/database.ts";
import { sendZip } from "../../server/routes/zip.ts";
import { type Browser, makeApp, signIn, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createMember,
  createTenant,
  createWorkspace,
  type TestTenant,
  type TestUser,
} from "../helpers/factories.ts";
import { until } from "../helpers/interleaving.ts";
import { createSet } from "../helpers/sets.ts";
import { unzip } from "../helpers/unzip.ts";

const database = useDatabase();
let app: TestApp;
let contoso: TestTenant;
let olivia: TestUser;
beforeAll(async () => {
  const { db } = database;
  app = makeApp(db);
  const workspace = await createWorkspace(db);
  contoso = await createTenant(db, { workspace, name: "Contoso / Retail" });
  olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
});

function download(browser: Browser, id: string): Promise<Response> {
  return browser
    .get(`/admin/backups/${id}/download`)
    .buffer(true)
    .parse((answer, done) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => done(null, Buffer.concat(parts)));
    });
}

test("a download holds a manifest and every policy with its assignments, and is kept in the trail", async () => {
  const { db } = database;
  const items = Array.from({ length: 60 }, (_, n) => ({ name: `Policy ${n}`, payload: { n, text: "ä€😀" } }));
  const set = await createSet(db, {
    tenant: contoso,
    items: [...items, { name: "Assigned", assignments: [{}] }],
  });
  const answer = await download(await signIn(app, olivia.email), set.id);
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/zip");
  expect(answer.headers["content-disposition"]).toMatch(
    /^attachment; filename="Contoso - Retail \d{8}-\d{4}\.zip"$/,
  );
  const files = unzip(answer.body);
  expect(JSON.parse(files.get("manifest.json") ?? "")).toMatchObject({
    id: set.id,
    kind: "backup",
    tenantName: "Contoso / Retail",
    counts: [{ type: "deviceConfigurations", items: 61 }],
  });
  expect(files.size).toBe(62);
  const policies = [...files.values()].map((text) => JSON.parse(text));
  expect(policies).toContainEqual(
    expect.objectContaining({ payload: { n: 42, text: "ä€😀" }, assignments: null }),
  );
  expect(policies).toContainEqual(
    expect.objectContaining({ name: "Assigned", assignments: [expect.objectContaining({ raw: {} })] }),
  );
  const trail = await db.query(
    `select actor_name as actor, tenant_id as tenant, outcome, details ->> 'items' as items
     from audit_events where action = 'backup.downloaded' and subject_id = $1`,
    [set.id],
  );
  expect(trail).toEqual([{ actor: "Olivia Brandt", tenant: contoso.id, outcome: "done", items: "61" }]);
});

test("names of policies cannot lead out of the folder, clash or trouble a file system", async () => {
  const names = [
    "../../etc/passwd",
    "C:\\a?*",
    "same",
    "same",
    "...",
    "\u202Egnp.exe\u0007",
    "x".repeat(300),
    "設定".repeat(100),
    "🔐".repeat(100),
  ];
  const set = await createSet(database.db, { tenant: contoso, items: names.map((name) => ({ name })) });
  const files = unzip((await download(await signIn(app, olivia.email), set.id)).body);
  const paths = [...files.keys()].filter((path) => path !== "manifest.json");
  expect(paths).toHaveLength(names.length);
  for (const path of paths) {
    expect(path).toMatch(/^deviceConfigurations\/[^/\\<>:"|?*\p{C}]+ [\da-f]{12}\.json$/u);
    expect(Buffer.byteLength(path.slice(path.indexOf("/") + 1))).toBeLessThanOrEqual(255);
    expect(path).not.toContain("..");
    expect(path).not.toContain("/.");
  }
});

test("without the right nothing is sent, nor kept as taken", async () => {
  const { db } = database;
  const set = await createSet(db, { tenant: contoso });
  const stranger = await createMember(db, { workspace: await createWorkspace(db), role: "owner" });
  const answer = await (await signIn(app, stranger.email)).get(`/admin/backups/${set.id}/download`);
  expect(answer.status).toBe(404);
  expect(
    await db.query("select 1 from audit_events where action = 'backup.downloaded' and subject_id = $1", [
      set.id,
    ]),
  ).toEqual([]);
});

test("entries are made as fast as they are taken: a reader that stops stops the making", async () => {
  let made = 0;
  async function* entries() {
    for (; made < 100; made += 1) yield { path: `${made}.json`, text: randomBytes(200_000).toString("hex") };
  }
  const taken: (() => void)[] = [];
  const to = new Writable({ write: (_part, _encoding, done) => void taken.push(done) });
  const sending = sendZip(to, entries(), new Date());
  await until(async () => taken.length > 0);
  await settle();
  expect(made).toBeLessThan(3);
  await until(async () => {
    taken.shift()?.();
    return made === 5;
  });
  await settle();
  expect(made).toBeLessThan(8);
  to.destroy();
  await sending;
  expect(made).toBeLessThan(8);
});

/** Lets everything happen that does not wait for the reader. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
}

test("what breaks half-way ends in no zip that could pass for a whole one", async () => {
  async function* entries() {
    yield { path: "one.json", text: "{}" };
    throw new Error("the database went away");
  }
  const parts: Buffer[] = [];
  const to = new Writable({
    write: (part, _encoding, done) => {
      parts.push(part);
      done();
    },
  });
  await expect(sendZip(to, entries(), new Date())).rejects.toThrow("the database went away");
  expect(to.destroyed).toBe(true);
  expect(() => unzip(Buffer.concat(parts))).toThrow();
});

test("a browser that goes away stops the reading, and the log has no fault", async () => {
  const { db } = database;
  const lines: string[] = [];
  let reads = 0;
  const watched: Db = {
    ...db,
    query<Row extends object>(text: string, values?: readonly unknown[]) {
      if (text.includes("from backup_items i where i.set_id = $1 and")) reads += 1;
      return db.query<Row>(text, values);
    },
  };
  const logged = makeApp(watched, {}, { write: (line) => lines.push(line) }, "trace");
  const items = Array.from({ length: 300 }, (_, n) => ({
    name: `Policy ${n}`,
    payload: { text: randomBytes(60_000).toString("hex") },
  }));
  const set = await createSet(db, { tenant: contoso, items });
  const browser = await signIn(logged, olivia.email);
  const left = browser.get(`/admin/backups/${set.id}/download`);
  left.parse((answer: EventEmitter) => answer.once("data", () => left.abort()));
  await left.catch(() => undefined);
  const ended = () => lines.filter((line) => line.includes("/download"));
  await until(async () => ended().length > 0);
  await settle();
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThan(300 / 25);
  expect(ended()).toHaveLength(1);
  expect(JSON.parse(ended()[0] ?? "")).toMatchObject({ level: 30, msg: "request aborted" });
});
