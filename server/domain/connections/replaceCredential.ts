import { v7 as uuidv7 } from "uuid";
import type { Db, Reader, Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import type { Stopped } from "../operations/countStopped.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { type AuthoritySubject, changeAuthority } from "../revocation/changeAuthority.ts";
import type { Drained } from "../revocation/drainWrites.ts";
import { bringBack } from "../tenants/bringBack.ts";
import { getLockedTenant } from "../tenants/lockedTenant.ts";
import { checkNewCredential, type NewCredential } from "./newCredential.ts";
import { previewReplacement } from "./previewReplacement.ts";
import type { ProofDescription } from "./proof.ts";
import type { CredentialKey } from "./sealing.ts";
import { storeCredential } from "./storeCredential.ts";

export type ReplacementRequest = NewCredential & { actor: Actor; workspaceId: string; tenantId: string };

/** `cameBack`: the tenant was archived and is being set up again. */
export type Replacement = { tenant: string; cameBack: boolean; stops: Stopped };

/**
 * Stores a tenant's new credential in place of any it has, and a connection where it has none. What was proved
 * with the old one is forgotten at once, also for runs in progress: the connection is `unverified` (handbook
 * 4, "Verification"). An archived tenant comes back to onboarding by it, which asks for `tenant.manage` too.
 * Throws `Invalid` by field, `Forbidden` without `connection.manage` there. Whether the credential works, and at
 * the right directory, only a verification says.
 */
export async function replaceCredential(
  db: Db,
  keys: readonly CredentialKey[],
  request: ReplacementRequest,
): Promise<Replacement & { drained: Drained }> {
  const { actor, workspaceId, tenantId } = request;
  const present = await findPresent(db, tenantId);
  checkNewCredential(request, present?.clientId ?? null);
  const stops = await previewReplacement(db, tenantId);
  const connection: AuthoritySubject[] =
    present === undefined ? [] : [{ kind: "connection", id: present.id }];
  const { value, drained } = await changeAuthority(
    db,
    [{ kind: "tenant", id: tenantId }, ...connection],
    (tx) => replaceIn(tx, keys, request, stops),
    { relyingOn: authorityOf(actor, workspaceId) },
  );
  return { ...value, drained };
}

async function replaceIn(
  tx: Tx,
  keys: readonly CredentialKey[],
  request: ReplacementRequest,
  stops: Stopped,
): Promise<Replacement> {
  const { actor, workspaceId, tenantId, proof } = request;
  await actAs(tx, actor, { workspaceId, tenantId }, "connection.manage");
  const tenant = await getLockedTenant(tx, workspaceId, tenantId);
  const cameBack = tenant.lifecycle === "archived";
  if (cameBack) {
    await actAs(tx, actor, { workspaceId, tenantId }, "tenant.manage");
    await bringBack(tx, { actor, workspaceId, tenantId });
  }
  const before = await findPresent(tx, tenantId);
  const { clientId, described } = checkNewCredential(request, before?.clientId ?? null);
  const entered = { clientId, expiresAt: described.expiresAt };
  const { id, version } =
    before === undefined
      ? await insertConnection(tx, tenantId, entered)
      : await resetConnection(tx, before.id, entered);
  await storeCredential(tx, keys, { connectionId: id, version, proof });
  await recordReplacement(tx, request, { id, before, after: { ...described, clientId, version }, stops });
  return { tenant: tenant.name, cameBack, stops };
}

type Present = { id: string; clientId: string; status: string; version: number; kind: string | null };

async function findPresent(reader: Reader, tenantId: string): Promise<Present | undefined> {
  const [present] = await reader.query<Present>(
    `select c.id, c.client_id as "clientId", c.status, c.credential_version as version, p.kind
     from provider_connections c left join provider_credentials p on p.connection_id = c.id
     where c.tenant_id = $1`,
    [tenantId],
  );
  return present;
}

type Entered = { clientId: string; expiresAt: Date | null };
type Connection = { id: string; version: number };

async function insertConnection(
  tx: Tx,
  tenantId: string,
  { clientId, expiresAt }: Entered,
): Promise<Connection> {
  const id = uuidv7();
  await tx.query(
    `insert into provider_connections (id, tenant_id, client_id, credential_expires_at)
     values ($1, $2, $3, $4)`,
    [id, tenantId, clientId, expiresAt],
  );
  return { id, version: 1 };
}

async function resetConnection(tx: Tx, id: string, { clientId, expiresAt }: Entered): Promise<Connection> {
  const [reset] = await tx.query<Connection>(
    `update provider_connections set client_id = $2, credential_expires_at = $3,
       credential_version = credential_version + 1, status = 'unverified', cause = null, verified_at = null,
       verified_version = null, granted_roles = '{}', approval_required = null
     where id = $1 returning id, credential_version as version`,
    [id, clientId, expiresAt],
  );
  if (reset === undefined) throw new Error("The connection was deleted while its tenant was locked.");
  return reset;
}

async function recordReplacement(
  tx: Tx,
  { actor, workspaceId, tenantId }: ReplacementRequest,
  change: {
    id: string;
    before: Present | undefined;
    after: ProofDescription & { clientId: string; version: number };
    stops: Stopped;
  },
): Promise<void> {
  const { id, before, after, stops } = change;
  await recordAudit(tx, {
    workspaceId,
    tenantId,
    actor,
    action: before === undefined ? "connection.created" : "connection.credential_replaced",
    subject: { type: "connection", id },
    outcome: "done",
    details: {
      before: before === undefined ? null : { ...before, id: undefined },
      after: { ...after, status: "unverified" },
      stops,
    },
  });
}
