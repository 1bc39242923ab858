import type { Db } from "../../server/db/database.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import { credentialKeys } from "./queue.ts";

export type ConnectionRecord = {
  status: string;
  cause: string | null;
  verifiedAt: Date | null;
  verifiedVersion: number | null;
  credentialVersion: number;
  grantedRoles: string[];
};

export async function getConnection(db: Db, id: string): Promise<ConnectionRecord> {
  const [connection] = await db.query<ConnectionRecord>(
    `select status, cause, verified_at as "verifiedAt", verified_version as "verifiedVersion",
       credential_version as "credentialVersion", granted_roles as "grantedRoles"
     from provider_connections where id = $1`,
    [id],
  );
  if (connection === undefined) throw new Error(`There is no connection ${id}.`);
  return connection;
}

/** Gives a connection its next secret, which nobody has tried yet. */
export async function replaceSecret(db: Db, connectionId: string, secret: string): Promise<void> {
  await db.transaction(async (tx) => {
    const [changed] = await tx.query<{ version: number }>(
      `update provider_connections set credential_version = credential_version + 1, status = 'unverified',
         cause = null where id = $1 returning credential_version as version`,
      [connectionId],
    );
    if (changed === undefined) throw new Error(`There is no connection ${connectionId}.`);
    const proof = { kind: "secret", secret } as const;
    await storeCredential(tx, credentialKeys, { connectionId, version: changed.version, proof });
  });
}
