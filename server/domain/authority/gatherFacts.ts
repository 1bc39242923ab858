import type { Reader } from "../../db/database.ts";
import type { AuthorityMode, Lifecycle, OperationContract } from "./contract.ts";
import type { AssignmentFact, ConnectionFact, Facts, Phase } from "./facts.ts";

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
};

type FactsRow = {
  id: string;
  now: Date;
  workspaceStatus: "active" | "suspended" | null;
  userStatus: "active" | "disabled" | null;
  membershipStatus: "active" | "suspended" | null;
  tenantWorkspaceId: string | null;
  lifecycle: Lifecycle | null;
  holdReason: string | null;
  holdBy: string | null;
  holdUntil: Date | null;
  connection:
    | (Omit<ConnectionFact, "verifiedAt" | "credentialExpiresAt"> & {
        verifiedAt: string | null;
        credentialExpiresAt: string | null;
      })
    | null;
  assignments: (Omit<AssignmentFact, "expiresAt"> & { expiresAt: string | null })[];
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
      return row === undefined ? [] : [[subject.id, toFacts(subject, row, phase)] as const];
    }),
  );
}

function selectFacts(reader: Reader, subjects: readonly Subject[]): Promise<FactsRow[]> {
  return reader.query<FactsRow>(
    `select s.id, clock_timestamp() as now,
       w.status as "workspaceStatus",
       u.status as "userStatus", m.status as "membershipStatus",
       t.workspace_id as "tenantWorkspaceId", t.lifecycle,
       h.reason as "holdReason", h.placed_by_name as "holdBy", h.until as "holdUntil",
       case when c.id is not null then jsonb_build_object('tenantId', c.tenant_id, 'status', c.status,
         'cause', c.cause, 'verifiedAt', c.verified_at, 'credentialVersion', c.credential_version,
         'verifiedVersion', c.verified_version, 'credentialExpiresAt', c.credential_expires_at,
         'grantedRoles', c.granted_roles) end as connection,
       coalesce(a.assignments, '[]') as assignments
     from jsonb_to_recordset($1::jsonb)
       as s (id uuid, workspace_id uuid, tenant_id uuid, initiator_id uuid, connection_id uuid)
     left join workspaces w on w.id = s.workspace_id
     left join users u on u.id = s.initiator_id
     left join memberships m on m.workspace_id = s.workspace_id and m.user_id = s.initiator_id
     left join tenants t on t.id = s.tenant_id
     left join tenant_holds h on h.tenant_id = s.tenant_id
     left join provider_connections c on c.id = s.connection_id
     left join lateral (
       select jsonb_agg(jsonb_build_object('roleName', r.name, 'capabilities', r.capabilities,
         'allTenants', ra.tenant_id is null, 'expiresAt', ra.expires_at) order by ra.id) as assignments
       from role_assignments ra join roles r on r.id = ra.role_id
       where ra.user_id = s.initiator_id and ra.workspace_id = s.workspace_id
         and (ra.tenant_id is null or ra.tenant_id = s.tenant_id)
     ) a on true`,
    [
      JSON.stringify(
        subjects.map((subject) => ({
          id: subject.id,
          workspace_id: subject.workspaceId,
          tenant_id: subject.tenantId,
          initiator_id: subject.initiatorId,
          connection_id: subject.connectionId,
        })),
      ),
    ],
  );
}

function toFacts(subject: Subject, row: FactsRow, phase: Phase): Facts {
  return {
    now: row.now,
    phase,
    contract: subject.contract,
    authorityMode: subject.authorityMode,
    workspaceId: subject.workspaceId,
    tenantId: subject.tenantId,
    requestExpiresAt: subject.requestExpiresAt,
    targetIntact: subject.targetIntact,
    writeRoles: subject.writeRoles,
    workspace: row.workspaceStatus === null ? null : { status: row.workspaceStatus },
    initiator: row.userStatus === null ? null : { status: row.userStatus, membership: row.membershipStatus },
    assignments: row.assignments.map((a) => ({ ...a, expiresAt: toDate(a.expiresAt) })),
    tenant:
      row.tenantWorkspaceId === null || row.lifecycle === null
        ? null
        : { workspaceId: row.tenantWorkspaceId, lifecycle: row.lifecycle },
    hold:
      row.holdReason === null || row.holdBy === null
        ? null
        : { reason: row.holdReason, placedByName: row.holdBy, until: row.holdUntil },
    connection:
      row.connection === null
        ? null
        : {
            ...row.connection,
            verifiedAt: toDate(row.connection.verifiedAt),
            credentialExpiresAt: toDate(row.connection.credentialExpiresAt),
          },
  };
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
