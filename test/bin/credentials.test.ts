import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "@jest/globals";
import { findCredential } from "../../server/domain/connections/findCredential.ts";
import { replaceCredential } from "../../server/domain/connections/replaceCredential.ts";
import { resealBatch } from "../../server/domain/connections/resealCredentials.ts";
import { type CredentialKey, sealCredential } from "../../server/domain/connections/sealing.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import { type Ended, runCommand } from "../helpers/command.ts";
import { getConnection } from "../helpers/connections.ts";
import { useDatabase } from "../helpers/database.ts";
import { createConnection, createMember, createTenant, createWorkspace } from "../helpers/factories.ts";
import { listAudit } from "../helpers/history.ts";
import { follow, openSession, untilSessionsWait } from "../helpers/interleaving.ts";

const database = useDatabase();
const older: CredentialKey = { id: "k1", key: randomBytes(32) };
const newer: CredentialKey = { id: "k2", key: randomBytes(32) };
const lost: CredentialKey = { id: "k0", key: randomBytes(32) };
const secret = "kept~Very.Secret";

beforeEach(async () => {
  await database.db.query("delete from provider_credentials");
});

function credentials(args: string[], keys: readonly CredentialKey[] = [newer, older]): Promise<Ended> {
  const CREDENTIAL_KEYS = keys.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(",");
  return runCommand("bin/credentials.ts", args, { DATABASE_URL: database.url, CREDENTIAL_KEYS });
}

/** A tenant with a verified connection whose credential that key has sealed. */
async function createSealed(key: CredentialKey) {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const tenant = await createTenant(db, { workspace, name: "Contoso Retail" });
  const { id } = await createConnection(db, { tenant });
  const proof = { kind: "secret", secret } as const;
  await db.transaction((tx) => storeCredential(tx, [key], { connectionId: id, version: 1, proof }));
  return { workspace, tenant, id };
}

async function keyOf(connectionId: string): Promise<string | undefined> {
  const rows = await database.db.query<{ key: string }>(
    "select key_id as key from provider_credentials where connection_id = $1",
    [connectionId],
  );
  return rows[0]?.key;
}

test("rotating seals with the first key what others have sealed, and changes nothing else", async () => {
  const { db } = database;
  const { id, tenant } = await createSealed(older);
  const { id: untouched } = await createSealed(newer);
  const before = await getConnection(db, id);
  const ended = await credentials(["rotate"]);
  expect(ended).toMatchObject({ code: 0, err: "1 of 1 credentials looked at.\n" });
  expect(ended.out).toBe(
    '1 credential sealed anew with "k2". Nothing needs "k1" any more: take it out of CREDENTIAL_KEYS once every process runs with the new list.\n',
  );
  expect(await keyOf(id)).toBe("k2");
  expect(await findCredential(db, [newer], id)).toMatchObject({ proof: { secret }, credentialVersion: 1 });
  expect(await getConnection(db, id)).toEqual(before);
  expect(await listAudit(db, id)).toMatchObject([
    {
      action: "connection.credential_resealed",
      tenantId: tenant.id,
      actorId: null,
      details: { before: "k1", after: "k2" },
    },
  ]);
  expect(await listAudit(db, untouched)).toEqual([]);
  expect(ended.out + ended.err).not.toContain(secret);
});

test("a bare secret of an earlier release stays readable", async () => {
  const { db } = database;
  const { id } = await createSealed(older);
  const { ciphertext } = sealCredential([older], { connectionId: id, version: 1 }, "an~old~secret");
  await db.query("update provider_credentials set ciphertext = $2 where connection_id = $1", [
    id,
    ciphertext,
  ]);
  expect((await credentials(["rotate"])).code).toBe(0);
  expect(await findCredential(db, [newer], id)).toMatchObject({ proof: { secret: "an~old~secret" } });
});

test("what no key opens is named, left as it is and ends with 2; the others are done all the same", async () => {
  const { id: sealed } = await createSealed(older);
  const { id: unknown } = await createSealed(lost);
  const { id: torn } = await createSealed(older);
  await database.db.query(
    "update provider_credentials set ciphertext = 'torn, and long enough to look sealed' where connection_id = $1",
    [torn],
  );
  const ended = await credentials(["rotate"]);
  expect(ended.code).toBe(2);
  expect(ended.out).toContain(
    `Not sealed anew: Contoso Retail (connection ${unknown}), because CREDENTIAL_KEYS does not name the key "k0".`,
  );
  expect(ended.out).toContain(`${torn}), because the key "k1" in CREDENTIAL_KEYS does not open it.`);
  expect(ended.out).toContain(
    '1 credential sealed anew with "k2". 2 credentials still sealed with another key',
  );
  expect([await keyOf(sealed), await keyOf(unknown), await keyOf(torn)]).toEqual(["k2", "k0", "k1"]);
  // Run again with the missing key, it goes on with what was left.
  const again = await credentials(["rotate"], [newer, older, lost]);
  expect(again.out).toContain('1 credential sealed anew with "k2". 1 credential still sealed');
});

test("with nothing to do it says so", async () => {
  await createSealed(newer);
  expect(await credentials(["rotate"], [newer])).toMatchObject({
    code: 0,
    out: '0 credentials sealed anew with "k2".\n',
    err: "",
  });
});

test("more than a batch is worked off in several transactions", async () => {
  const { db } = database;
  for (let n = 0; n < 103; n += 1) await createSealed(older);
  const first = await resealBatch(db, [newer, older], null);
  expect(first).toMatchObject({ resealed: 100, unopened: [], last: expect.any(String) });
  // Interrupted here, another run goes on with what is left.
  const ended = await credentials(["rotate"]);
  expect(ended.err).toBe("3 of 3 credentials looked at.\n");
  expect(await db.query("select 1 from provider_credentials where key_id <> 'k2'")).toEqual([]);
});

test("a credential that is being replaced meanwhile is waited for, and not undone", async () => {
  const { db } = database;
  const { id, tenant, workspace } = await createSealed(older);
  const { id: other } = await createSealed(older);
  const actor = await createMember(db, { workspace, role: "manager" });
  const session = await openSession(database.url);
  await session.query("begin");
  await session.query("select 1 from provider_credentials where connection_id = $1 for update", [id]);
  const proof = { kind: "secret", secret: "the-next~secret" } as const;
  const at = { actor, workspaceId: workspace.id, tenantId: tenant.id, expiresAt: null };
  const replacing = follow(replaceCredential(db, [newer, older], { ...at, proof }));
  await untilSessionsWait(db, 1);
  const rotating = follow(resealBatch(db, [newer, older], null));
  await untilSessionsWait(db, 2);
  await session.query("rollback");
  await session.end();
  await replacing.result;
  expect(await rotating.result).toMatchObject({ unopened: [] });
  expect(await findCredential(db, [newer], id)).toMatchObject({ proof, credentialVersion: 2 });
  expect(await keyOf(other)).toBe("k2");
});

test("the status says how many each key has sealed, and which keys nobody has any more", async () => {
  await createSealed(older);
  await createSealed(older);
  expect(await credentials(["status"])).toMatchObject({
    code: 0,
    out: "k2  0 credentials, seals what is entered\nk1  2 credentials\n",
  });
  await createSealed(lost);
  const ended = await credentials(["status"]);
  expect(ended.code).toBe(2);
  expect(ended.out).toContain(
    "k0  1 credential, which nothing opens: CREDENTIAL_KEYS does not name this key",
  );
});

test("a missing setting, an unknown command and the help say what to do", async () => {
  const keyless = await credentials(["rotate"], []);
  expect(keyless.code).toBe(1);
  expect(keyless.err).toContain("CREDENTIAL_KEYS must list keys");
  const unknown = await credentials(["turn"]);
  expect(unknown.code).toBe(1);
  expect(unknown.err).toContain("--help");
  const help = await credentials(["--help"]);
  expect(help.code).toBe(0);
  for (const word of ["rotate", "status", "Exit codes:", "CREDENTIAL_KEYS"]) expect(help.out).toContain(word);
});
