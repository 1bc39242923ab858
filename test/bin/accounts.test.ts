import { beforeEach, expect, test } from "@jest/globals";
import { findAccount } from "../../server/domain/people/accounts.ts";
import { makeApp, signIn } from "../helpers/app.ts";
import { runCommand } from "../helpers/command.ts";
import {
  addMember,
  createMember,
  createUser,
  createWorkspace,
  placeHold,
  type TestUser,
} from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { beginRestore, openWriting } from "../helpers/restores.ts";
import { createSchedule } from "../helpers/schedules.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0, omar: "manager" });
});

/** The command, with what is typed on its standard input. */
const accounts = (args: string[], typed = "", url = installation.url) =>
  runCommand("bin/accounts.ts", args, { DATABASE_URL: url }, typed);

const stateOf = async ({ email }: TestUser) => (await findAccount(installation.db, email))?.status;

test("disabling says what it will stop, asks for the address, and then what it stopped", async () => {
  const { db } = installation;
  const { omar, contoso, northwind } = world;
  await signIn(makeApp(db), omar.email);
  await placeHold(db, { tenant: contoso });
  await requestAs(db, omar, "inventory.sync", contoso);
  await createSchedule(db, { workspace: northwind, tenant: contoso, steward: omar });

  const ended = await accounts(["disable", omar.email.toUpperCase()], `${omar.email}\n`);
  expect(ended).toMatchObject({ code: 0, err: `Type ${omar.email} to disable the account: ` });
  expect(ended.out.split("\n")).toEqual([
    `Disabling the account of Omar Haddad (${omar.email}) ends 1 session.`,
    "  Northwind Managed Services: This will block 1 queued run in 1 tenant. 1 schedule will need a new steward; it goes on running.",
    "Omar Haddad's account is disabled. 1 session was ended.",
    "  Northwind Managed Services: It blocks 1 queued run in 1 tenant: what waits is stopped when it begins, what runs before its next change. 1 schedule will need a new steward; it goes on running.",
    "",
  ]);
  expect(await findAccount(db, omar.email)).toMatchObject({ status: "disabled", sessions: 0 });
});

test.each([
  ["something else", "no\n"],
  ["nothing", ""],
])("%s typed changes nothing and ends with 2", async (_what, typed) => {
  const { omar } = world;
  const ended = await accounts(["disable", omar.email], typed);
  expect(ended.code).toBe(2);
  expect(ended.out).toContain("That was not the address. Nothing was changed.");
  expect(await stateOf(omar)).toBe("active");
});

test("--yes does not ask; what is disabled already is left so", async () => {
  const { omar } = world;
  expect(await accounts(["disable", omar.email, "--yes"])).toMatchObject({ code: 0, err: "" });
  const again = await accounts(["disable", omar.email, "--yes"]);
  expect(again).toMatchObject({ code: 0, out: "Omar Haddad's account is disabled already.\n" });
});

test("it waits for a change on its way to Microsoft, and says what became of it", async () => {
  const { omar, contoso } = world;
  const { control, sandbox } = installation;
  const writing = openWriting(installation, await beginRestore(installation, world));
  await control.setFaults(contoso.directoryId, [{ kind: "latency", ms: 1_500, method: "POST" }]);
  const arrived = sandbox.requests.next(({ method, kind }) => method === "POST" && kind === "graph");
  const call = writing.create("first");
  await arrived;
  const ended = await accounts(["disable", omar.email, "--yes"]);
  expect(await call).toMatchObject({ state: "done" });
  expect(ended.code).toBe(0);
  expect(ended.out).toContain("will block 1 running run in 1 tenant");
  expect(ended.out).toContain("1 change already on the way to Microsoft was waited for: 1 had been made.");
  await expect(writing.create("second")).rejects.toThrow("authority ended");
});

test("a change of which nobody knows whether it was made is said, and ends with 3", async () => {
  const { db, control, sandbox } = installation;
  const { omar, contoso } = world;
  const run = await beginRestore(installation, world);
  await db.query(
    "update provider_connections set verified_at = clock_timestamp() - interval '24 hours' + interval '2.5 seconds'",
  );
  const writing = openWriting(installation, run);
  await control.setFaults(contoso.directoryId, [
    { kind: "hold", method: "POST" },
    { kind: "hold", method: "GET" },
  ]);
  const arrived = sandbox.requests.next(({ method, kind }) => method === "POST" && kind === "graph");
  const call = writing.create("hung").catch((error: unknown) => error);
  await arrived;
  const ended = await accounts(["disable", omar.email, "--yes"]);
  expect(ended.code).toBe(3);
  expect(ended.out).toContain("of 1 it is not known");
  await control.clearFaults(contoso.directoryId);
  await call;
});

test("the last owner of a workspace is left as they are, unless that is asked for", async () => {
  const { olivia } = world;
  const refused = await accounts(["disable", olivia.email, "--yes"]);
  expect(refused.code).toBe(2);
  expect(refused.out).toContain("They are the last owner.");
  expect(refused.out).toContain(
    "Northwind Managed Services would have no owner any more. Make somebody else an owner there first. To disable the account all the same, add --leave-without-owner. Nothing was changed.",
  );
  expect(await stateOf(olivia)).toBe("active");
  expect((await accounts(["disable", olivia.email, "--yes", "--leave-without-owner"])).code).toBe(0);
  expect(await stateOf(olivia)).toBe("disabled");
});

test("enabling lets the person sign in again, with the roles they have", async () => {
  const { omar } = world;
  await accounts(["disable", omar.email, "--yes"]);
  const ended = await accounts(["enable", omar.email]);
  expect(ended).toMatchObject({
    code: 0,
    out: "Omar Haddad's account is enabled: they can sign in, with the roles they have.\n",
  });
  await signIn(makeApp(installation.db), omar.email);
  expect(await accounts(["enable", omar.email])).toMatchObject({
    code: 0,
    out: "Omar Haddad's account is not disabled.\n",
  });
});

test("the status says what the account is good for, and where", async () => {
  const { db } = installation;
  const { olivia, omar, contoso } = world;
  const other = await createWorkspace(db, { name: "Adventure Works" });
  await addMember(db, { workspace: other, user: omar, role: null });
  await addMember(db, { workspace: world.northwind, user: omar, role: "readonly", tenant: contoso });
  expect((await accounts(["status", omar.email])).out.split("\n")).toEqual([
    `Omar Haddad (${omar.email}): active, signed in with 0 browsers`,
    "  Adventure Works: no role",
    "  Northwind Managed Services: Manager at all tenants and Read only at Contoso Retail",
    "",
  ]);
  expect((await accounts(["status", olivia.email])).out).toContain("Owner at all tenants, the last owner");
  await createMember(db, { workspace: world.northwind, role: "owner" });
  expect((await accounts(["status", olivia.email])).out).not.toContain("the last owner");
  const alone = await createUser(db, { status: "disabled" });
  const shown = await accounts(["status", alone.email]);
  expect(shown.out).toContain("disabled, signed in with 0 browsers\n  a member of no workspace");
});

test("an address that nobody has, a wrong command and a database that is away end with 1", async () => {
  for (const command of ["status", "disable", "enable"])
    expect(await accounts([command, "nobody@example.com"])).toMatchObject({
      code: 1,
      err: "Nobody here has the address nobody@example.com.\n",
    });
  const unknown = await accounts(["suspend", "nobody@example.com"]);
  expect(unknown.code).toBe(1);
  expect(unknown.err).toContain("--help");
  const away = await accounts(["status", "x@example.com"], "", "postgres://u:s3cret@127.0.0.1:1/x");
  expect(away.code).toBe(1);
  expect(away.err).toContain("The account could not be looked at:");
  expect(away.err).not.toContain("s3cret");
  const settings = await accounts(["status", "x@example.com"], "", "nonsense");
  expect(settings.err).toContain("DATABASE_URL must be a PostgreSQL address");
});

test("the help says what there is, the exit codes and the settings", async () => {
  const help = await accounts(["--help"]);
  expect(help.code).toBe(0);
  for (const word of ["status", "disable", "enable", "Exit codes:", "DATABASE_URL", "Examples:"])
    expect(help.out).toContain(word);
  const disable = await accounts(["disable", "--help"]);
  for (const word of ["--yes", "--leave-without-owner", "asks"]) expect(disable.out).toContain(word);
});
