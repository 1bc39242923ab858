import type { Tx } from "../../db/database.ts";
import { type CredentialKey, sealCredential } from "./sealing.ts";

/** Seals a connection's secret and stores it in place of any earlier one. `version` is the connection's own. */
export async function storeCredential(
  tx: Tx,
  keys: readonly CredentialKey[],
  credential: { connectionId: string; version: number; clientSecret: string },
): Promise<void> {
  const { keyId, ciphertext } = sealCredential(keys, credential, credential.clientSecret);
  await tx.query(
    `insert into provider_credentials (connection_id, version, key_id, ciphertext) values ($1, $2, $3, $4)
     on conflict (connection_id) do update set version = excluded.version, key_id = excluded.key_id,
       ciphertext = excluded.ciphertext, changed_at = clock_timestamp()`,
    [credential.connectionId, credential.version, keyId, ciphertext],
  );
}
