import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { findCredential } from "../../../server/domain/connections/findCredential.ts";
import { markConnectionInvalid } from "../../../server/domain/connections/markConnectionInvalid.ts";
import { recordVerification } from "../../../server/domain/connections/recordVerification.ts";
import { openCredential, sealCredential } from "../../../server/domain/connections/sealing.ts";
import { storeCredential } from "../../../server/domain/connections/storeCredential.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createConnection, createTenant, createWorkspace } from "../../helpers/factories.ts";
import { listActions } from "../../helpers/records.ts";

const database = useDatabase();
const keys = [
  { id: "new", key: randomBytes(32) },
  { id: "old", key: randomBytes(32) },
];
const secret = "kept~Very.Secret";
const connectionId = "0199c1d2-77aa-7c1e-8000-000000000001";
const runId = "0199c1d2-77aa-7c1e-8000-000000000002";
const context = { connectionId, version: 1 };

test("a sealed secret opens with its key, and never looks the same twice", () => {
  const sealed = sealCredential(keys, context, secret);
  expect(sealed.keyId).toBe("new");
  expect(openCredential(keys, context, sealed)).toBe(secret);
  expect(sealed.ciphertext.includes(secret)).toBe(false);
  expect(sealCredential(keys, context, secret).ciphertext).not.toEqual(sealed.ciphertext);
});

test("what an earlier key sealed still opens after a new one was put first", () => {
  const sealed = sealCredential(keys.slice(1), context, secret);
  expect(openCredential(keys, context, sealed)).toBe(secret);
});

test.each([
  ["another connection", { connectionId: "0199c1d2-77aa-7c1e-8000-000000000009", version: 1 }],
  ["another version", { connectionId, version: 2 }],
])("a sealed secret does not open for %s", (_name, other) => {
  const sealed = sealCredential(keys, context, secret);
  expect(() => openCredential(keys, other, sealed)).toThrow();
});

test("a sealed secret does not open with another key, without its key, or changed by one bit", () => {
  const sealed = sealCredential(keys, context, secret);
  expect(() => openCredential([{ id: "new", key: randomBytes(32) }], context, sealed)).toThrow();
  expect(() => openCredential(keys.slice(1), context, sealed)).toThrow(
    'CREDENTIAL_KEYS does not name the key "new".',
  );
  for (const at of [0, 12, 28, sealed.ciphertext.length - 1]) {
    const changed = Buffer.from(sealed.ciphertext);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(() => openCredential(keys, context, { ...sealed, ciphertext: changed })).toThrow();
  }
});

test("no error about a secret tells any of it", () => {
  const sealed = sealCredential(keys, context, secret);
  for (const wrong of [keys.slice(1), [{ id: "new", key: randomBytes(32) }]]) {
    try {
      openCredential(wrong, context, sealed);
    } catch (error) {
      expect(String(error)).not.toContain(secret);
    }
  }
  expect.hasAssertions();
});

async function seed(status: "unverified" | "verified" | "invalid" = "verified") {
  const { db } = database;
  const tenant = await createTenant(db, { workspace: await createWorkspace(db) });
  const connection = await createConnection(db, { tenant, status });
  await db.transaction((tx) =>
    storeCredential(tx, keys, { connectionId: connection.id, version: 1, proof: { kind: "secret", secret } }),
  );
  const stateOf = async () => {
    const rows = await db.query<{ status: string; cause: string | null; granted_roles: string[] }>(
      "select status, cause, granted_roles from provider_connections where id = $1",
      [connection.id],
    );
    return rows[0];
  };
  return { db, tenant, connection, stateOf };
}

test("a stored credential is found with the directory it is for", async () => {
  const { db, tenant, connection } = await seed();
  expect(await findCredential(db, keys, connection.id)).toEqual({
    directoryId: tenant.directoryId,
    clientId: "countersign-client",
    proof: { kind: "secret", secret },
    credentialVersion: 1,
  });
  expect(await findCredential(db, keys, connectionId)).toBeUndefined();
});

test("a secret moved to another connection's row does not open there", async () => {
  const { db, connection } = await seed();
  const other = await seed();
  await db.query(
    `update provider_credentials set ciphertext = (select ciphertext from provider_credentials
       where connection_id = $1) where connection_id = $2`,
    [connection.id, other.connection.id],
  );
  await expect(findCredential(db, keys, other.connection.id)).rejects.toThrow();
});

test("a refused credential makes the connection invalid once, and only if it is still the present one", async () => {
  const { db, connection, stateOf } = await seed();
  const refused = { connectionId: connection.id, cause: "The secret has expired.", runId };
  await markConnectionInvalid(db, { ...refused, credentialVersion: 7 });
  expect(await stateOf()).toMatchObject({ status: "verified" });

  await markConnectionInvalid(db, { ...refused, credentialVersion: 1 });
  await markConnectionInvalid(db, { ...refused, credentialVersion: 1 });
  expect(await stateOf()).toMatchObject({ status: "invalid", cause: "The secret has expired." });
  expect(await listActions(db, connection.id)).toEqual(["connection.rejected"]);
  expect(
    await db.query("select actor_id, details from audit_events where subject_id = $1", [connection.id]),
  ).toMatchObject([{ actor_id: null, details: { run: runId, before: "verified", after: "invalid" } }]);
});

test("a verification counts for the credential it was made with, and mends what was refused", async () => {
  const { db, connection, stateOf } = await seed("invalid");
  const verified = { connectionId: connection.id, grantedRoles: ["Organization.Read.All"], runId };
  const record = (credentialVersion: number) =>
    db.transaction((tx) => recordVerification(tx, { ...verified, credentialVersion }));
  expect(await record(2)).toBe(false);
  expect(await stateOf()).toMatchObject({ status: "invalid" });
  expect(await record(1)).toBe(true);
  expect(await stateOf()).toMatchObject({
    status: "verified",
    cause: null,
    granted_roles: ["Organization.Read.All"],
  });
});
