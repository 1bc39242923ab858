import type { Db } from "../../server/db/database.ts";
import {
  type AuthorityMode,
  type Lifecycle,
  lifecycles,
  type OperationContract,
  operableClasses,
} from "../../server/domain/authority/contract.ts";
import type { ReasonCode } from "../../server/domain/authority/reasons.ts";
import { contractOf } from "../../server/domain/operations/catalog.ts";
import { type Denial, everyRun, inTwoMoments, moments, needing, variant, withoutTrigger } from "./denial.ts";
import { createWorkspace } from "./factories.ts";
import { prerequisiteDenials } from "./prerequisiteDenials.ts";
import type { Scene } from "./scenes.ts";

const peoplesRuns = (_contract: OperationContract, mode: AuthorityMode) => mode === "actor_bound";
const theSystemsRuns = (_contract: OperationContract, mode: AuthorityMode) => mode === "system_authority";
const ofOneTenant = (contract: OperationContract) => contract !== contractOf("tenants.bulk_sync");
const peoplesOfTenants = (contract: OperationContract, mode: AuthorityMode) =>
  mode === "actor_bound" && ofOneTenant(contract);

/** Every reason code and the ways to it. A new code without one does not compile. */
export const denialCases = {
  workspace_mismatch: [
    {
      title: "the workspace is suspended",
      concerns: everyRun,
      moments,
      bring: (db, { northwind }) =>
        db.query("update workspaces set status = 'suspended' where id = $1", [northwind.id]),
      says: () => "the workspace is suspended",
      reopen: (db, { northwind }) =>
        db.query("update workspaces set status = 'active' where id = $1", [northwind.id]),
    },
    {
      title: "the tenant has moved to another workspace",
      concerns: ofOneTenant,
      moments: ["request", ...inTwoMoments],
      async bring(db, { contoso }) {
        const { id } = await createWorkspace(db);
        await db.query("update tenants set workspace_id = $2 where id = $1", [contoso.id, id]);
      },
      says: () => "the tenant belongs to another workspace",
    },
    {
      title: "the frozen target was changed",
      concerns: everyRun,
      moments: inTwoMoments,
      because: "a request is what freezes the target",
      bring: (db, { northwind }) =>
        withoutTrigger(db, "operation_runs", "runs_keep_their_history", [
          `update operation_runs set target = target || '{"types": ["roleScopeTags"], "more": true}'
           where workspace_id = $1 and status <> 'completed'`,
          [northwind.id],
        ]),
      says: () => "the target is not the one that was requested",
    },
  ],
  initiator_missing: [
    {
      title: "the account was deleted",
      concerns: peoplesRuns,
      moments,
      bring: (db, { omar }) => db.query("delete from users where id = $1", [omar.id]),
      says: ({ omar }) => `${omar.name}'s account was deleted`,
    },
  ],
  initiator_not_entitled: [
    {
      title: "the membership was deleted",
      concerns: peoplesRuns,
      moments,
      bring: (db, { northwind, omar }) =>
        db.query("delete from memberships where workspace_id = $1 and user_id = $2", [northwind.id, omar.id]),
      says: ({ omar }) => `${omar.name} no longer has access to the workspace: not a member of the workspace`,
    },
    {
      title: "the membership was suspended",
      concerns: peoplesRuns,
      moments: variant,
      bring: (db, { omar }) =>
        db.query("update memberships set status = 'suspended' where user_id = $1", [omar.id]),
      says: ({ omar }) => `${omar.name} no longer has access to the workspace: the membership is suspended`,
    },
    {
      title: "the account was disabled",
      concerns: peoplesRuns,
      moments: variant,
      bring: (db, { omar }) => db.query("update users set status = 'disabled' where id = $1", [omar.id]),
      says: ({ omar }) => `${omar.name} no longer has access to the workspace: the account is disabled`,
    },
  ],
  tenant_missing: [
    {
      title: "the tenant was deleted",
      concerns: ofOneTenant,
      moments: ["begin", "midRun", "retry"],
      bring: deleteTenant,
      says: ({ contoso }) => `${contoso.name} no longer exists`,
    },
    {
      title: "the tenant was deleted, its name with it",
      concerns: ofOneTenant,
      moments: ["request"],
      bring: deleteTenant,
      says: () => "the tenant no longer exists",
    },
  ],
  tenant_not_entitled: [
    {
      title: "no role covers the tenant",
      concerns: peoplesOfTenants,
      moments,
      bring: (db, { omar }) => db.query("delete from role_assignments where user_id = $1", [omar.id]),
      says: ({ omar, contoso }) => `${omar.name} no longer has access to ${contoso.name}`,
    },
    {
      title: "the role lapsed",
      concerns: peoplesOfTenants,
      moments: inTwoMoments,
      bring: (db, { omar }) =>
        db.query("update role_assignments set expires_at = clock_timestamp() where user_id = $1", [omar.id]),
      says: ({ omar, contoso }) => `${omar.name} no longer has access to ${contoso.name}`,
    },
    {
      title: "no role covers the tenant that the backup is of",
      concerns: needing("source_exists"),
      moments,
      setting: "elsewhere",
      bring: (db, { omar, source }) =>
        db.query("delete from role_assignments where user_id = $1 and tenant_id = $2", [omar.id, source.id]),
      says: ({ omar }) => `${omar.name} no longer has access to the tenant that the backup is of`,
    },
  ],
  missing_capability: [
    {
      title: "the role was cut",
      concerns: peoplesRuns,
      moments,
      bring: (db, { northwind, contract }) =>
        db.query("update roles set capabilities = array_remove(capabilities, $2) where workspace_id = $1", [
          northwind.id,
          contract.capability,
        ]),
      says: ({ omar, contract }) => `${omar.name} no longer has ${contract.capability}`,
    },
    {
      title: "another role took its place",
      concerns: peoplesRuns,
      moments: variant,
      bring: (db, { northwind, omar }) =>
        db.query(
          `update role_assignments set role_id = (select id from roles where workspace_id = $1 and key = 'readonly')
           where user_id = $2`,
          [northwind.id, omar.id],
        ),
      says: ({ omar, contract }) => `${omar.name} no longer has ${contract.capability}`,
    },
    {
      title: "no role covers any of the tenants",
      concerns: (contract, mode) => peoplesRuns(contract, mode) && !ofOneTenant(contract),
      moments: inTwoMoments,
      bring: (db, { omar }) => db.query("delete from role_assignments where user_id = $1", [omar.id]),
      says: ({ omar, contract }) => `${omar.name} no longer has ${contract.capability}`,
    },
    {
      title: "backups of the source can no longer be seen",
      concerns: needing("source_exists"),
      moments,
      setting: "elsewhere",
      bring: (db, { northwind, omar, source }) =>
        db.query(
          `with bare as (
             insert into roles (id, workspace_id, key, name, capabilities)
             values (gen_random_uuid(), $1, 'bare', 'Bare', '{operations.view}') returning id)
           update role_assignments set role_id = (select id from bare) where user_id = $2 and tenant_id = $3`,
          [northwind.id, omar.id, source.id],
        ),
      says: ({ omar }) => `${omar.name} no longer has backup.view at the tenant that the backup is of`,
    },
  ],
  system_authority_not_allowed: [
    {
      title: "its schedule was paused",
      concerns: theSystemsRuns,
      moments,
      setting: "scheduled",
      bring: (db, { schedule }) =>
        db.query("update schedules set status = 'paused' where id = $1", [schedule]),
      says: () => "its schedule is paused",
    },
    {
      title: "its schedule was deleted",
      concerns: theSystemsRuns,
      moments: ["request", ...inTwoMoments],
      setting: "scheduled",
      bring: (db, { schedule }) => db.query("delete from schedules where id = $1", [schedule]),
      says: () => "its schedule was deleted",
    },
    {
      title: "the operation does not consent",
      concerns: theSystemsRuns,
      ofRefusedMode: true,
      moments: ["request"],
      because: "no such run is ever stored other than blocked; only a release takes consent away",
      bring: async () => {},
      says: () => "the operation may only be requested by a person",
    },
  ],
  tenant_not_operable: lifecycles.flatMap((lifecycle) => [
    inoperable(lifecycle, { title: `the tenant is ${lifecycle}`, concerns: refusedBy(lifecycle) }),
    ...(lifecycle === "offboarding"
      ? [
          inoperable(lifecycle, {
            title: "the tenant is offboarding, which pauses schedules",
            concerns: (contract, mode) =>
              theSystemsRuns(contract, mode) && ofOneTenant(contract) && !refusedBy(lifecycle)(contract),
            setting: "scheduled",
          }),
        ]
      : []),
  ]),
  ...prerequisiteDenials,
} satisfies Record<ReasonCode, Denial[]>;

function deleteTenant(db: Db, { contoso }: Scene): Promise<unknown> {
  return db.query(
    `with plans as (delete from restore_plans where tenant_id = $1),
       sets as (delete from backup_sets where tenant_id = $1)
     delete from tenants where id = $1`,
    [contoso.id],
  );
}

function inoperable(
  lifecycle: Lifecycle,
  way: Pick<Denial, "title" | "concerns"> & { setting?: "scheduled" },
): Denial {
  return {
    ...way,
    // Every operation that can be refused is, while its tenant is one of these: they stand for the rest.
    moments: lifecycle === "suspended" || lifecycle === "archived" || way.setting ? moments : variant,
    bring: (db, { contoso }) =>
      db.query("update tenants set lifecycle = $2 where id = $1", [contoso.id, lifecycle]),
    says: ({ contoso }) => `${contoso.name} is ${lifecycle}`,
  };
}

function refusedBy(lifecycle: Lifecycle) {
  const operable: readonly string[] = operableClasses[lifecycle];
  return (contract: OperationContract) => ofOneTenant(contract) && !operable.includes(contract.operability);
}

/** The way that stands for a reason code. */
export function wayTo(code: ReasonCode): Denial {
  const [way] = denialCases[code];
  if (way === undefined) throw new Error(`Nothing brings ${code} about.`);
  return way;
}
