import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { findCredential } from "../../../server/domain/connections/findCredential.ts";
import { readProof, writeProof } from "../../../server/domain/connections/proof.ts";
import { sealCredential } from "../../../server/domain/connections/sealing.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createConnection, createTenant, createWorkspace } from "../../helpers/factories.ts";

const database = useDatabase();

test.each([
  { kind: "secret", secret: "a~secret" },
  { kind: "certificate", privateKey: "the key", certificate: "the certificate" },
] as const)("a $kind comes out as it was put in", (proof) => {
  expect(readProof(writeProof(proof))).toEqual(proof);
});

test.each(["a~secret", "", "12345", "null", "[]", '{"secret":"x"}', '"kind"'])(
  "%j, sealed by an earlier release, is a bare secret",
  (sealed) => {
    expect(readProof(sealed)).toEqual({ kind: "secret", secret: sealed });
  },
);

test.each(['{"kind":"federated","subject":"x"}', '{"kind":"secret","secret":1}'])(
  "%s is of a later release and never passes for a secret",
  (sealed) => {
    expect(() => readProof(sealed)).toThrow("of a kind this release does not know");
  },
);

test("a row of an earlier release opens as the secret it holds", async () => {
  const { db } = database;
  const keys = [{ id: "k", key: randomBytes(32) }];
  const tenant = await createTenant(db, { workspace: await createWorkspace(db) });
  const { id } = await createConnection(db, { tenant });
  const { keyId, ciphertext } = sealCredential(keys, { connectionId: id, version: 1 }, "an~old~secret");
  await db.query(
    "insert into provider_credentials (connection_id, version, key_id, ciphertext) values ($1, 1, $2, $3)",
    [id, keyId, ciphertext],
  );
  expect(await findCredential(db, keys, id)).toMatchObject({
    proof: { kind: "secret", secret: "an~old~secret" },
  });
});
