import type { Lifecycle } from "./contract.ts";
import type { AssignmentFact, ConnectionFact, Facts, HoldFact, PlanFact, SelectionFact } from "./facts.ts";

/** What the statement that gathers facts answers for one subject; moments inside of JSON arrive as text. */
export type FactsRow = {
  id: string;
  now: Date;
  workspaceStatus: "active" | "suspended" | null;
  userStatus: "active" | "disabled" | null;
  membershipStatus: "active" | "suspended" | null;
  tenantWorkspaceId: string | null;
  lifecycle: Lifecycle | null;
  hold: HoldRow | null;
  workspaceHold: HoldRow | null;
  tenantRunning: number;
  connection:
    | (Omit<ConnectionFact, "verifiedAt" | "credentialExpiresAt"> & {
        verifiedAt: string | null;
        credentialExpiresAt: string | null;
      })
    | null;
  assignments: AssignmentRow[];
  sourceTenantId: string | null;
  sourceAssignments: AssignmentRow[];
  plan: (Omit<PlanFact, "completedAt"> & { completedAt: string }) | null;
  selection: SelectionFact | null;
  turn: Facts["turn"];
  scheduleStatus: "active" | "paused" | null;
};

type AssignmentRow = Omit<AssignmentFact, "expiresAt"> & { expiresAt: string | null };
type HoldRow = Pick<HoldFact, "reason" | "placedByName"> & {
  placedAt: string;
  until: string | null;
  letThroughAt: string | null;
};

/** The facts that the row holds; those of the question itself are the caller's. */
export function factsIn(row: FactsRow) {
  return {
    now: row.now,
    workspace: row.workspaceStatus === null ? null : { status: row.workspaceStatus },
    initiator: row.userStatus === null ? null : { status: row.userStatus, membership: row.membershipStatus },
    assignments: row.assignments.map(toAssignment),
    turn: row.turn,
    tenantRunning: row.tenantRunning,
    schedule: row.scheduleStatus === null ? null : { status: row.scheduleStatus },
    source:
      row.sourceTenantId === null
        ? null
        : { tenantId: row.sourceTenantId, assignments: row.sourceAssignments.map(toAssignment) },
    plan: row.plan === null ? null : { ...row.plan, completedAt: new Date(row.plan.completedAt) },
    selection: row.selection,
    tenant:
      row.tenantWorkspaceId === null || row.lifecycle === null
        ? null
        : { workspaceId: row.tenantWorkspaceId, lifecycle: row.lifecycle },
    hold: toHold(row.hold),
    workspaceHold: toHold(row.workspaceHold),
    connection:
      row.connection === null
        ? null
        : {
            ...row.connection,
            verifiedAt: toDate(row.connection.verifiedAt),
            credentialExpiresAt: toDate(row.connection.credentialExpiresAt),
          },
  } satisfies Partial<Facts>;
}

function toHold(row: HoldRow | null): HoldFact | null {
  if (row === null) return null;
  const { placedAt, until, letThroughAt, ...hold } = row;
  return {
    ...hold,
    placedAt: new Date(placedAt),
    until: toDate(until),
    letThroughAt: toDate(letThroughAt),
  };
}

function toAssignment(row: AssignmentRow): AssignmentFact {
  return { ...row, expiresAt: toDate(row.expiresAt) };
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
