import type { Db } from "../server/db/database.ts";
import { findCredential } from "../server/domain/connections/findCredential.ts";
import type { CredentialKey } from "../server/domain/connections/sealing.ts";
import {
  type Provider,
  ProviderError,
  type ProviderReader,
  type ProviderWriter,
} from "../server/provider/port.ts";

/** A connection with its credential opened: both halves of the provider, in one process's memory only. */
export type OpenProvider = {
  connection: { id: string; directoryId: string; credentialVersion: number };
  reader: ProviderReader;
  writer: ProviderWriter;
};

/** Throws `ProviderError` `credential_rejected` when no credential is stored. Asks the provider nothing yet. */
export async function openProvider(
  deps: { db: Db; provider: Provider; credentialKeys: readonly CredentialKey[] },
  connectionId: string,
): Promise<OpenProvider> {
  const found = await findCredential(deps.db, deps.credentialKeys, connectionId);
  if (found === undefined)
    throw new ProviderError("credential_rejected", "No credential is stored for the connection");
  const { credentialVersion, ...credential } = found;
  return {
    connection: { id: connectionId, directoryId: credential.directoryId, credentialVersion },
    reader: deps.provider.openReader(credential),
    writer: deps.provider.openWriter(credential),
  };
}
