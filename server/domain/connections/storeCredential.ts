import type { Tx } from "../../db/database.ts";
import type { ProviderSecret } from "../../provider/port.ts";
import { describeProof, writeProof } from "./proof.ts";
import { type CredentialKey, sealCredential } from "./sealing.ts";

/**
 * Seals a connection's proof and stores it in place of any earlier one. `version` is the connection's own.
 * Throws for a certificate that cannot be used.
 */
export async function storeCredential(
  tx: Tx,
  keys: readonly CredentialKey[],
  credential: { connectionId: string; version: number; proof: ProviderSecret },
): Promise<void> {
  const { connectionId, version, proof } = credential;
  const { kind, thumbprint, subject } = describeProof(proof);
  const { keyId, ciphertext } = sealCredential(keys, credential, writeProof(proof));
  await tx.query(
    `insert into provider_credentials (connection_id, version, key_id, ciphertext, kind, thumbprint, subject)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (connection_id) do update set version = excluded.version, key_id = excluded.key_id,
       ciphertext = excluded.ciphertext, kind = excluded.kind, thumbprint = excluded.thumbprint,
       subject = excluded.subject, changed_at = clock_timestamp()`,
    [connectionId, version, keyId, ciphertext, kind, thumbprint, subject],
  );
}
