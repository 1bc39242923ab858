import type { Reader } from "../../db/database.ts";
import type { ProviderCredential } from "../../provider/port.ts";
import { readProof } from "./proof.ts";
import { type CredentialKey, openCredential } from "./sealing.ts";

/** A connection's credential, opened: for the worker while a run uses it, for nobody else. */
export type OpenCredential = ProviderCredential & { credentialVersion: number };

/** Undefined when none is stored, e.g. after a tenant was archived. Throws when no key opens it. */
export async function findCredential(
  reader: Reader,
  keys: readonly CredentialKey[],
  connectionId: string,
): Promise<OpenCredential | undefined> {
  const [row] = await reader.query<{
    directoryId: string;
    clientId: string;
    version: number;
    keyId: string;
    ciphertext: Buffer;
  }>(
    `select t.directory_id as "directoryId", c.client_id as "clientId", p.version, p.key_id as "keyId",
       p.ciphertext
     from provider_credentials p
     join provider_connections c on c.id = p.connection_id and c.credential_version = p.version
     join tenants t on t.id = c.tenant_id
     where p.connection_id = $1`,
    [connectionId],
  );
  if (row === undefined) return undefined;
  const { directoryId, clientId, version } = row;
  const proof = readProof(openCredential(keys, { connectionId, version }, row));
  return { directoryId, clientId, proof, credentialVersion: version };
}
