import type { Db } from "../../server/db/database.ts";
import type { ReasonCode } from "../../server/domain/authority/reasons.ts";
import { replaceCredential } from "../../server/domain/connections/replaceCredential.ts";
import { changeMember, changeMemberRole, removeMember } from "../../server/domain/people/changeMember.ts";
import { disableAccount, enableAccount } from "../../server/domain/people/disableAccount.ts";
import { findMember } from "../../server/domain/people/members.ts";
import { type AuthoritySubject, changeAuthority } from "../../server/domain/revocation/changeAuthority.ts";
import type { Drained } from "../../server/domain/revocation/drainWrites.ts";
import { changeLifecycle } from "../../server/domain/tenants/changeLifecycle.ts";
import { addMember, getRole } from "../helpers/factories.ts";
import type { Northwind } from "../helpers/northwind.ts";
import { credentialKeys } from "../helpers/queue.ts";
import { editRole, ownRole } from "../helpers/roles.ts";

/** A way in which the product takes from Omar, or from the tenant, what a restore of his relies on. */
export type Way = {
  revoke(db: Db, world: Northwind): Promise<Drained>;
  reason: ReasonCode;
};

export const ways = {
  "member removed": {
    revoke: async (db, world) => (await removeMember(db, person(world))).drained,
    reason: "initiator_not_entitled",
  },
  "role changed": {
    async revoke(db, world) {
      const { id: roleId } = await getRole(db, world.northwind, "readonly");
      return (await changeMemberRole(db, { ...person(world), roleId })).drained;
    },
    reason: "missing_capability",
  },
  "assignment changed": {
    async revoke(db, world) {
      const { id: roleId } = await getRole(db, world.northwind, "readonly");
      const change = { kind: "assignment_role", assignmentId: await heldBy(db, world), roleId } as const;
      return (await changeMember(db, { ...person(world), change })).drained;
    },
    reason: "missing_capability",
  },
  "assignment ended": {
    async revoke(db, world) {
      const change = { kind: "assignment_end", assignmentId: await heldBy(db, world) } as const;
      return (await changeMember(db, { ...person(world), change })).drained;
    },
    reason: "tenant_not_entitled",
  },
  "capability removed from the role": {
    async revoke(db, world) {
      const { id: roleId } = await getRole(db, world.northwind, ownRole);
      return (await editRole(db, { ...person(world), roleId }, { without: ["restore.execute"] })).drained;
    },
    reason: "missing_capability",
  },
  "account disabled": {
    revoke: async (db, { omar }) =>
      (await disableAccount(db, { userId: omar.id, leavesWithoutOwner: false })).drained,
    reason: "initiator_not_entitled",
  },
  "tenant suspended": {
    revoke: async (db, world) => (await changeLifecycle(db, { ...tenant(world), to: "suspended" })).drained,
    reason: "tenant_not_operable",
  },
  "credential replaced": {
    async revoke(db, world) {
      const proof = { kind: "secret", secret: "another-secret" } as const;
      const replaced = { ...tenant(world), proof, expiresAt: null };
      return (await replaceCredential(db, credentialKeys, replaced)).drained;
    },
    reason: "provider_connection_invalid",
  },
  "assignment lapsed, by hand": byHand(
    "user",
    ({ omar }) => omar.id,
    "update role_assignments set expires_at = clock_timestamp() where user_id = $1",
    "tenant_not_entitled",
  ),
  "assignment deleted, by hand": byHand(
    "user",
    ({ omar }) => omar.id,
    "delete from role_assignments where user_id = $1",
    "tenant_not_entitled",
  ),
  "workspace suspended": byHand(
    "workspace",
    ({ northwind }) => northwind.id,
    "update workspaces set status = 'suspended' where id = $1",
    "workspace_mismatch",
  ),
  "connection no longer verified": byHand(
    "connection",
    ({ connection }) => connection.id,
    "update provider_connections set status = 'unverified' where id = $1",
    "provider_connection_invalid",
  ),
  "permission to write lost": byHand(
    "connection",
    ({ connection }) => connection.id,
    "update provider_connections set granted_roles = '{}' where id = $1",
    "write_gate_blocked",
  ),
  "backup deleted": byHand(
    "backup",
    ({ contoso }) => contoso.id,
    "delete from backup_sets where tenant_id = $1",
    "execution_prerequisite_invalid",
  ),
} as const satisfies Record<string, Way>;

/** A change by hand, in the product's own frame for changes of authority. */
function byHand(
  kind: AuthoritySubject["kind"],
  idOf: (world: Northwind) => string,
  sql: string,
  reason: ReasonCode,
): Way {
  return {
    async revoke(db, world) {
      const id = idOf(world);
      return (await changeAuthority(db, [{ kind, id }], (tx) => tx.query(sql, [id]))).drained;
    },
    reason,
  };
}

const person = ({ olivia, omar, northwind }: Northwind) => ({
  actor: olivia,
  workspaceId: northwind.id,
  userId: omar.id,
});
const tenant = ({ olivia, contoso, northwind }: Northwind) => ({
  actor: olivia,
  workspaceId: northwind.id,
  tenantId: contoso.id,
});

async function heldBy(db: Db, { northwind, omar }: Northwind): Promise<string> {
  const member = await findMember(db, northwind.id, omar.id);
  return member?.assignments[0]?.id ?? "";
}

/** Ways that can be taken back, so that the next restore is allowed again. */
export const reversible: { revoke: Way["revoke"]; grant(db: Db, world: Northwind): Promise<unknown> }[] = [
  {
    ...ways["member removed"],
    grant: (db, { northwind, omar }) => addMember(db, { workspace: northwind, user: omar, role: ownRole }),
  },
  {
    ...ways["tenant suspended"],
    grant: (db, world) => changeLifecycle(db, { ...tenant(world), to: "active" }),
  },
  {
    ...ways["role changed"],
    async grant(db, world) {
      const { id: roleId } = await getRole(db, world.northwind, ownRole);
      await changeMemberRole(db, { ...person(world), roleId });
    },
  },
  {
    ...ways["assignment ended"],
    grant: (db, { northwind, omar }) => addMember(db, { workspace: northwind, user: omar, role: ownRole }),
  },
  {
    ...ways["assignment lapsed, by hand"],
    grant: (db, { omar }) =>
      db.query("update role_assignments set expires_at = null where user_id = $1", [omar.id]),
  },
  {
    ...ways["account disabled"],
    grant: (db, { omar }) => enableAccount(db, omar.id),
  },
  {
    ...ways["capability removed from the role"],
    async grant(db, world) {
      const { id: roleId } = await getRole(db, world.northwind, ownRole);
      await editRole(db, { ...person(world), roleId }, { with: ["restore.execute"] });
    },
  },
  {
    ...ways["connection no longer verified"],
    grant: (db, { connection }) =>
      db.query("update provider_connections set status = 'verified' where id = $1", [connection.id]),
  },
];
