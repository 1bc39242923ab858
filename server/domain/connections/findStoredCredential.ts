import type { Reader } from "../../db/database.ts";
import type { ProviderSecret } from "../../provider/port.ts";

/** What may be seen of a stored credential: never what is sealed. */
export type StoredCredential = {
  kind: ProviderSecret["kind"];
  /** A certificate's; null for a secret. */
  thumbprint: string | null;
  subject: string | null;
  changedAt: Date;
};

/** Undefined when none is stored, e.g. after a tenant was archived. */
export async function findStoredCredential(
  reader: Reader,
  connectionId: string,
): Promise<StoredCredential | undefined> {
  const [stored] = await reader.query<StoredCredential>(
    `select kind, thumbprint, subject, changed_at as "changedAt" from provider_credentials
     where connection_id = $1`,
    [connectionId],
  );
  return stored;
}
