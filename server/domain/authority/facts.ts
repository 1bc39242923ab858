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
  /** Those of the initiator in the run's workspace that cover its tenant, lapsed ones included. */
  assignments: AssignmentFact[];
  tenant: { workspaceId: string; lifecycle: Lifecycle } | null;
  hold: { reason: string; placedByName: string; until: Date | null } | null;
  /** The connection the run was frozen with; null when it is gone or there was none. */
  connection: ConnectionFact | null;
};

export type AssignmentFact = {
  roleName: string;
  capabilities: string[];
  allTenants: boolean;
  expiresAt: Date | null;
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
};
