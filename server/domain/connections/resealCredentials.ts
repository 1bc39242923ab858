import type { Db, Reader, Tx } from "../../db/database.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { type CredentialKey, openCredential, sealCredential } from "./sealing.ts";

/** How many credentials are sealed with the key of that id. */
export type SealedWith = { keyId: string; credentials: number };

export function countSealedWith(reader: Reader): Promise<SealedWith[]> {
  return reader.query<SealedWith>(
    `select key_id as "keyId", count(*)::integer as credentials from provider_credentials
     group by key_id order by key_id`,
  );
}

/** A credential that no given key opens; `why` tells nothing of it. */
export type Unopened = { connectionId: string; tenantName: string; why: string };

/** `last` is where the next batch goes on; null when this was the last one. */
export type ResealedBatch = { resealed: number; unopened: Unopened[]; last: string | null };

const batchSize = 100;

/**
 * Seals the next credentials anew that another key than the first has sealed: at most 100, in the order of their
 * connections after `after`, in one transaction with an audit entry for each. What is sealed stays the same and so
 * does its version: verification stays, and runs in progress notice nothing. Each row is locked, so one that is
 * being replaced is waited for. One that cannot be opened is told and left as it is.
 */
export async function resealBatch(
  db: Db,
  keys: readonly CredentialKey[],
  after: string | null,
): Promise<ResealedBatch> {
  const [first] = keys;
  if (first === undefined) throw new Error("CREDENTIAL_KEYS names no key to seal with.");
  return db.transaction(async (tx) => {
    const rows = await lockNext(tx, first.id, after);
    const unopened: Unopened[] = [];
    const events: AuditEvent[] = [];
    for (const row of rows) {
      const opened = tryOpening(keys, row);
      if ("why" in opened) unopened.push({ ...row, why: opened.why });
      else events.push(await reseal(tx, keys, row, opened.proof));
    }
    await recordAudit(tx, ...events);
    const last = rows.length < batchSize ? null : (rows.at(-1)?.connectionId ?? null);
    return { resealed: events.length, unopened, last };
  });
}

type SealedRow = {
  connectionId: string;
  version: number;
  keyId: string;
  ciphertext: Buffer;
  workspaceId: string;
  tenantId: string;
  tenantName: string;
};

function lockNext(tx: Tx, firstKey: string, after: string | null): Promise<SealedRow[]> {
  return tx.query<SealedRow>(
    `select p.connection_id as "connectionId", p.version, p.key_id as "keyId", p.ciphertext,
       t.workspace_id as "workspaceId", t.id as "tenantId", n.name as "tenantName"
     from provider_credentials p
     join provider_connections c on c.id = p.connection_id
     join tenants t on t.id = c.tenant_id
     join tenant_profiles n on n.tenant_id = t.id
     where p.key_id <> $1 and ($2::uuid is null or p.connection_id > $2)
     order by p.connection_id limit $3
     for update of p`,
    [firstKey, after, batchSize],
  );
}

function tryOpening(keys: readonly CredentialKey[], row: SealedRow): { proof: string } | { why: string } {
  if (!keys.some(({ id }) => id === row.keyId))
    return { why: `CREDENTIAL_KEYS does not name the key "${row.keyId}"` };
  try {
    return { proof: openCredential(keys, row, row) };
  } catch {
    // What the cipher says is of no use to anybody.
    return { why: `the key "${row.keyId}" in CREDENTIAL_KEYS does not open it` };
  }
}

async function reseal(
  tx: Tx,
  keys: readonly CredentialKey[],
  { connectionId, version, keyId: before, workspaceId, tenantId }: SealedRow,
  proof: string,
): Promise<AuditEvent> {
  const { keyId, ciphertext } = sealCredential(keys, { connectionId, version }, proof);
  await tx.query("update provider_credentials set key_id = $2, ciphertext = $3 where connection_id = $1", [
    connectionId,
    keyId,
    ciphertext,
  ]);
  return {
    workspaceId,
    tenantId,
    actor: null,
    action: "connection.credential_resealed",
    subject: { type: "connection", id: connectionId },
    outcome: "done",
    details: { before, after: keyId },
  };
}
