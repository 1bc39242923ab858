import type { AuthorityMode, Lifecycle, OperationContract } from "./contract.ts";

/** When the question is asked. A hold defers a beginning; it neither refuses a request nor stops what runs. */
export type Phase = "request" | "begin" | "checkpoint";

/** Everything `decide` may look at, time included. Gathered in one statement, after the locks. */
export type Facts = {
  /** The database's `clock_timestamp()`. */
  now: Date;
  phase: Phase;
  contract: OperationContract;
  authorityMode: AuthorityMode;
  workspaceId: string;
  tenantId: string | null;
  /** A request may not begin after this. */
  requestExpiresAt: Date;
  /** The frozen target still has the digest that was stored with it. */
  targetIntact: boolean;
  workspace: { status: "active" | "suspended" } | null;
  /** Null when the account is gone; `membership` null when the person is not of this workspace. */
  initiator: {
    status: "active" | "disabled";
    membership: "active" | "suspended" | null;
  } | null;
  /** Provider permissions that writing the frozen target needs; empty for an operation that only reads. */
  writeRoles: string[];
  /**
   * Those of the initiator in the run's workspace that cover its tenant, lapsed ones included; for a run without
   * a tenant, those that cover any of the tenants it is to ask for runs at.
   */
  assignments: AssignmentFact[];
  tenant: { workspaceId: string; lifecycle: Lifecycle } | null;
  /** Whose turn it is to write at the tenant, when it is not this run's; null for operations that do not write. */
  turn: { runId: string; operation: string; initiatorName: string | null } | null;
  /** The schedule that asked for it; null for what no schedule asked for. */
  scheduleId: string | null;
  /** Null when there is none or it is gone. */
  schedule: { status: "active" | "paused" } | null;
  /** An attempt of it was allowed to begin before. */
  hasBegun: boolean;
  /** The backup set it takes its items from; null when it has none or the set is gone. */
  source: SourceFact | null;
  /** The preview it carries out; null when there is none. */
  plan: PlanFact | null;
  /** The selection it works on; null when there is none. */
  selection: SelectionFact | null;
  /** How old (hours) a verification may be for the write gate. */
  writeGateMaxAgeHours: number;
  /** The tenant's, lapsed ones included; and that of the whole workspace. */
  hold: HoldFact | null;
  workspaceHold: HoldFact | null;
  /** How many runs of the tenant are under way besides this one, and how many may be. */
  tenantRunning: number;
  tenantConcurrency: number;
  /** The connection the run was frozen with; null when it is gone or there was none. */
  connection: ConnectionFact | null;
};

export type HoldFact = {
  reason: string;
  placedByName: string;
  placedAt: Date;
  until: Date | null;
  /** When somebody let this very run through; null when nobody has. */
  letThroughAt: Date | null;
};

export type AssignmentFact = {
  roleId: string;
  roleName: string;
  capabilities: string[];
  allTenants: boolean;
  expiresAt: Date | null;
};

/** `assignments` are the initiator's that cover the tenant the set is of. */
export type SourceFact = { tenantId: string; assignments: AssignmentFact[] };

export type PlanFact = {
  /** It is of the same tenant and has the digest that the request froze. */
  matches: boolean;
  completedAt: Date;
  /** Another run has carried it out, or is about to. */
  isTaken: boolean;
  /** What was found to have moved since; null while nothing was. */
  staleReason: string | null;
};

export type SelectionFact = {
  /** It is of the same tenant and has the digest, its operation included, that the request froze. */
  matches: boolean;
  /** Another run works on it, or did. */
  isTaken: boolean;
  /** What was found to have moved since; null while nothing was. */
  staleReason: string | null;
};

export type ConnectionFact = {
  tenantId: string;
  status: "unverified" | "verified" | "invalid";
  cause: string | null;
  verifiedAt: Date | null;
  credentialVersion: number;
  verifiedVersion: number | null;
  credentialExpiresAt: Date | null;
  grantedRoles: string[];
  /** Why somebody at the tenant has to approve before anything may be written; null when nobody has to. */
  approvalRequired: string | null;
};
