import type { InstallationRules, Reader } from "../../db/database.ts";
import type { AuthorityMode, OperationContract } from "./contract.ts";
import type { Facts, Phase } from "./facts.ts";
import { type FactsRow, factsIn } from "./factsRow.ts";

/** What is asked about: a run, or a request that may become one. `id` only pairs answers with questions. */
export type Subject = {
  id: string;
  contract: OperationContract;
  authorityMode: AuthorityMode;
  workspaceId: string;
  tenantId: string | null;
  initiatorId: string | null;
  connectionId: string | null;
  requestExpiresAt: Date;
  targetIntact: boolean;
  writeRoles: string[];
  hasBegun: boolean;
  /** The backup set it takes its items from. */
  backupSetId: string | null;
  /** The schedule that asked for it. */
  scheduleId: string | null;
  /** The preview it carries out, with the digest that was confirmed. */
  plan: { id: string; digest: string } | null;
  /** The selection it works on, with the digest that was confirmed. */
  selection: { id: string; digest: string } | null;
  /** For what has no tenant: those it is to ask for runs at. */
  tenantIds: readonly string[];
};

/**
 * The facts about each subject, in one statement: for a gate it must come after the one that took the locks,
 * so that its snapshot is younger than they are. Takes no row locks; decides nothing.
 */
export async function gatherFacts(
  reader: Reader,
  subjects: readonly Subject[],
  phase: Phase,
): Promise<Map<string, Facts>> {
  if (subjects.length === 0) return new Map();
  const rows = await selectFacts(reader, subjects);
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    subjects.flatMap((subject) => {
      const row = rowOf.get(subject.id);
      if (row === undefined) return [];
      return [[subject.id, toFacts(subject, row, { phase, ...reader.rules })] as const];
    }),
  );
}

function selectFacts(reader: Reader, subjects: readonly Subject[]): Promise<FactsRow[]> {
  return reader.query<FactsRow>(
    `select s.id, clock_timestamp() as now,
       w.status as "workspaceStatus",
       u.status as "userStatus", m.status as "membershipStatus",
       t.workspace_id as "tenantWorkspaceId", t.lifecycle,
       ${holdAs("hold", "h", "me.released_from_hold_at")},
       ${holdAs("workspaceHold", "wh", "me.released_from_workspace_hold_at")},
       busy."tenantRunning",
       case when c.id is not null then jsonb_build_object('tenantId', c.tenant_id, 'status', c.status,
         'cause', c.cause, 'verifiedAt', c.verified_at, 'credentialVersion', c.credential_version,
         'verifiedVersion', c.verified_version, 'credentialExpiresAt', c.credential_expires_at,
         'grantedRoles', c.granted_roles,
         'approvalRequired', c.approval_required) end as connection,
       coalesce(a.assignments, '[]') as assignments,
       b.tenant_id as "sourceTenantId", coalesce(sa.assignments, '[]') as "sourceAssignments",
       case when p.digest is not null then jsonb_build_object('completedAt', p.completed_at,
         'matches', p.digest = s.plan_digest and p.tenant_id = s.tenant_id and p.source_set_id = s.backup_set_id,
         'isTaken', p.run_id is not null and p.run_id <> s.id, 'staleReason', p.stale_reason) end as plan,
       case when bs.id is not null then jsonb_build_object(
         'matches', bs.digest = s.selection_digest and bs.tenant_id = s.tenant_id,
         'isTaken', bs.run_id is not null and bs.run_id <> s.id, 'staleReason', bs.stale_reason) end as selection,
       n.turn, sc.status as "scheduleStatus"
     from jsonb_to_recordset($1::jsonb)
       as s (id uuid, workspace_id uuid, tenant_id uuid, initiator_id uuid, connection_id uuid,
         backup_set_id uuid, plan_id uuid, plan_digest text, schedule_id uuid, selection_id uuid,
         selection_digest text, tenant_ids uuid[], writes boolean)
     left join workspaces w on w.id = s.workspace_id
     left join users u on u.id = s.initiator_id
     left join memberships m on m.workspace_id = s.workspace_id and m.user_id = s.initiator_id
     left join tenants t on t.id = s.tenant_id
     left join operation_runs me on me.id = s.id
     -- One that another workspace placed since the tenant moved there is not this run's to wait for.
     left join tenant_holds h on h.tenant_id = t.id and t.workspace_id = s.workspace_id
     left join workspace_holds wh on wh.workspace_id = s.workspace_id
     left join provider_connections c on c.id = s.connection_id
     left join backup_sets b on b.id = s.backup_set_id and b.workspace_id = s.workspace_id
     left join schedules sc on sc.id = s.schedule_id and sc.workspace_id = s.workspace_id
     left join restore_plans p on p.id = s.plan_id and p.workspace_id = s.workspace_id
     left join bulk_selections bs on bs.id = s.selection_id and bs.workspace_id = s.workspace_id
     left join lateral (${assignmentsCovering("any (s.tenant_id || s.tenant_ids)")}) a on true
     left join lateral (${assignmentsCovering("b.tenant_id")}) sa on b.id is not null
     cross join lateral (
       select count(*)::integer as "tenantRunning" from operation_runs r
       where r.tenant_id = s.tenant_id and r.status = 'running' and r.id <> s.id
     ) busy
     -- The one that writes already, else the first in line; who stands under a hold is not in line yet.
     left join lateral (
       select jsonb_build_object('runId', r.id, 'operation', r.operation, 'initiatorName', r.initiator_name)
         as turn
       from operation_runs r
       where s.writes and r.tenant_id = s.tenant_id and r.writes_provider and r.status <> 'completed'
         and r.id <> s.id and (r.status = 'running' or (r.id < s.id and not exists (select 1 from hold_over(r))))
       order by r.status = 'running' desc, r.id limit 1
     ) n on true`,
    [
      JSON.stringify(
        subjects.map((subject) => ({
          id: subject.id,
          workspace_id: subject.workspaceId,
          tenant_id: subject.tenantId,
          initiator_id: subject.initiatorId,
          connection_id: subject.connectionId,
          backup_set_id: subject.backupSetId,
          plan_id: subject.plan?.id ?? null,
          plan_digest: subject.plan?.digest ?? null,
          schedule_id: subject.scheduleId,
          selection_id: subject.selection?.id ?? null,
          selection_digest: subject.selection?.digest ?? null,
          tenant_ids: subject.tenantIds,
          writes: subject.contract.operability === "write",
        })),
      ),
    ],
    // Every gate and every look at running work asks this: planning it took most of the time of a gate.
    "facts",
  );
}

/** A hold with the moment at which somebody let the run through it. */
function holdAs(name: string, hold: string, letThroughAt: string): string {
  return `case when ${hold}.placed_at is not null then jsonb_build_object('reason', ${hold}.reason,
         'placedByName', ${hold}.placed_by_name, 'placedAt', ${hold}.placed_at, 'until', ${hold}.until,
         'letThroughAt', ${letThroughAt}) end as "${name}"`;
}

function assignmentsCovering(tenant: string): string {
  return `
    select jsonb_agg(jsonb_build_object('roleId', r.id, 'roleName', r.name,
      'capabilities', r.capabilities, 'allTenants', ra.tenant_id is null, 'expiresAt', ra.expires_at) order by ra.id) as assignments
    from role_assignments ra join roles r on r.id = ra.role_id
    where ra.user_id = s.initiator_id and ra.workspace_id = s.workspace_id
      and (ra.tenant_id is null or ra.tenant_id = ${tenant})`;
}

function toFacts(subject: Subject, row: FactsRow, asked: { phase: Phase } & InstallationRules): Facts {
  return {
    ...asked,
    ...factsIn(row),
    contract: subject.contract,
    authorityMode: subject.authorityMode,
    workspaceId: subject.workspaceId,
    tenantId: subject.tenantId,
    requestExpiresAt: subject.requestExpiresAt,
    targetIntact: subject.targetIntact,
    writeRoles: subject.writeRoles,
    scheduleId: subject.scheduleId,
    hasBegun: subject.hasBegun,
  };
}
