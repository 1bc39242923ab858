import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { makeSandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { contoso, litware, proseware } from "../../server/demo/seed/cast.ts";
import { directories } from "../../server/demo/seed/directories.ts";
import { seed } from "../../server/demo/seed.ts";
import { type Ended, runCommand } from "../helpers/command.ts";
import { useDatabase } from "../helpers/database.ts";
import { createTenant, createWorkspace } from "../helpers/factories.ts";
import { credentialKeys, drainQueue, makeTestWorker } from "../helpers/queue.ts";
import { listActions } from "../helpers/records.ts";

const database = useDatabase();
const parts: { sandbox?: Sandbox; worker?: WorkerDeps } = {};
beforeAll(async () => {
  await seed(database.db, credentialKeys);
  parts.sandbox = await startSandbox({ port: 0, directories });
  parts.worker = makeTestWorker(database.db, parts.sandbox.url);
});
afterAll(() => parts.sandbox?.close());

const operation = (args: string[], environment: Record<string, string> = {}) =>
  runCommand("bin/operation.ts", args, {
    DATABASE_URL: database.url,
    BASE_URL: "https://countersign.example.com",
    ...environment,
  });

const sync = (...args: string[]) => operation(["request", "inventory.sync", ...args]);
const addressOnly = /^https:\/\/countersign\.example\.com\/admin\/operations\/([0-9a-f-]{36})$/m;

function runIn({ out }: Ended): string {
  const id = addressOnly.exec(out)?.[1];
  if (id === undefined) throw new Error(`No address was printed: ${out}`);
  return id;
}

test("it requests under system authority and prints where the run is", async () => {
  const ended = await sync("--tenant", "contoso retail");
  expect(ended.code).toBe(0);
  expect(ended.err).toContain(
    "Sync inventory at Contoso Retail of Northwind Managed Services, under system authority",
  );
  expect(ended.out).toContain("Queued");
  const [run] = await database.db.query(
    `select authority_mode as mode, trigger, initiator_id as initiator from operation_runs where id = $1`,
    [runIn(ended)],
  );
  expect(run).toEqual({ mode: "system_authority", trigger: "command", initiator: null });
  expect(await listActions(database.db, runIn(ended))).toEqual(["run.requested"]);
});

test("awaited, it says how the run ended", async () => {
  const waiting = sync("--tenant", contoso.id, "--as", "OMAR@northwind.example", "--wait");
  const ended = await drainUntil(waiting);
  expect(ended.code).toBe(0);
  expect(ended.err).toContain("as Omar Haddad");
  expect(ended.out).toMatch(/\nSucceeded: 63 unchanged\n$/);
});

test("what is blocked at request says so, with the reason, and ends with 2", async () => {
  const ended = await sync("--tenant", "Litware", "--as", "omar@northwind.example");
  expect(ended.code).toBe(2);
  expect(ended.out).toContain("Blocked by policy: Litware is suspended. Nothing was changed.");
  expect(runIn(ended)).toBeDefined();
});

test.each([
  ["rita@northwind.example", "Rita Novak does not hold inventory.sync at Litware (missing_capability)"],
  ["sam@northwind.example", "Sam Okafor has no access to Litware (tenant_not_entitled)"],
  [
    "felix@fabrikam.example",
    "Felix Baumann is no active member of the workspace of Litware (initiator_not_entitled)",
  ],
])("a request refused to %s says the reason plainly, makes no run and ends with 2", async (as, words) => {
  const before = await countRuns();
  const ended = await sync("--tenant", "Litware", "--as", as);
  expect(ended.code).toBe(2);
  expect(ended.out).toBe(`Refused: ${words}. No run was made.\n`);
  expect(await countRuns()).toBe(before);
  expect(await listActions(database.db, litware.id)).toContain("run.refused");
});

test("a run that fails ends with 3", async () => {
  const { clientId } = proseware.connection;
  const another = { clientId, secret: "another", secretState: "valid" } as const;
  await makeSandboxClient(parts.sandbox?.url ?? "").setApp(proseware.directoryId, { ...another, roles: [] });
  const waiting = operation(["request", "provider.connection.verify", "--tenant", "Proseware", "--wait"]);
  const ended = await drainUntil(waiting);
  expect(ended.code).toBe(3);
  expect(ended.out).toContain("Failed: The identity provider refuses these credentials (AADSTS7000215)");
});

describe("a name that several tenants have", () => {
  test("is asked back, with what to choose from, and narrowed by the workspace", async () => {
    const workspace = await createWorkspace(database.db, { name: "Tailspin" });
    const twin = await createTenant(database.db, { workspace, name: "Adatum Health" });
    const asked = await sync("--tenant", "Adatum Health");
    expect(asked.code).toBe(1);
    expect(asked.err).toContain('Several tenants are called "Adatum Health". Choose one:');
    expect(asked.err).toContain("--workspace northwind  (Northwind Managed Services)");
    expect(asked.err).toContain(`--tenant ${twin.id}`);
    expect((await sync("--tenant", "Adatum Health", "--workspace", "northwind")).code).toBe(0);
  });
});

describe("what cannot be done as given ends with 1 and one line", () => {
  test.each<[string, string[], Record<string, string>, RegExp]>([
    [
      "an unknown operation",
      ["request", "x", "--tenant", "Litware"],
      {},
      /^There is no operation "x" to request here\. There are: provider\.connection\.verify, inventory\.sync, backup\.create\.\n$/,
    ],
    [
      "an unknown tenant",
      ["request", "inventory.sync", "--tenant", "Nowhere"],
      {},
      /^There is no tenant "Nowhere"\.\n$/,
    ],
    [
      "an unknown tenant there",
      ["request", "inventory.sync", "--tenant", "Litware", "--workspace", "fabrikam"],
      {},
      /^There is no tenant "Litware" in the workspace "fabrikam"\.\n$/,
    ],
    [
      "an unknown person",
      ["request", "inventory.sync", "--tenant", "Litware", "--as", "x@example.com"],
      {},
      /^Nobody here has the address x@example\.com\.\n$/,
    ],
    [
      "a missing setting",
      ["request", "inventory.sync", "--tenant", "Litware"],
      { DATABASE_URL: "" },
      /^DATABASE_URL must be a PostgreSQL address.*\n$/,
    ],
    [
      "no database",
      ["request", "inventory.sync", "--tenant", "Litware"],
      { DATABASE_URL: "postgres://x@127.0.0.1:1/x" },
      /^The request could not be made: .*ECONNREFUSED.*\n$/,
    ],
    [
      "a missing option",
      ["request", "inventory.sync"],
      {},
      /required option '--tenant <name or id>' not specified/,
    ],
  ])("%s", async (_what, args, environment, message) => {
    const ended = await operation(args, environment);
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(message);
    expect(ended.out).toBe("");
  });
});

test("help on every level names operations, exit codes, settings and examples", async () => {
  const top = await operation(["--help"]);
  expect(top.code).toBe(0);
  expect(top.out).toContain("request [options] <operation>");
  const help = await operation(["request", "--help"]);
  for (const part of ["Operations:", "Exit codes:", "Settings:", "Examples:", "--wait", "inventory.sync"])
    expect(help.out).toContain(part);
});

/** Works the queue off until the command has ended. */
async function drainUntil(waiting: Promise<Ended>): Promise<Ended> {
  let ended: Ended | undefined;
  void waiting.then((result) => {
    ended = result;
  });
  while (ended === undefined) if (parts.worker !== undefined) await drainQueue(parts.worker);
  return ended;
}

async function countRuns(): Promise<number> {
  return (await database.db.query("select 1 from operation_runs")).length;
}
