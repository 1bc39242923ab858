import type { Capability } from "./capabilities.ts";

/** What an operation needs before it may begin and before each effect. The catalog holds one per operation. */
export type OperationContract = {
  /** What people call it, in sentence case: "Sync inventory". */
  title: string;
  /** What it does to a tenant, which the tenant's lifecycle permits or not. */
  operability: OperabilityClass;
  authorityModes: readonly AuthorityMode[];
  capability: Capability;
  prerequisites: readonly Prerequisite[];
  /** Kinds of authority its own effects change; those keys it takes exclusively from the start. */
  changesAuthority: readonly ("connection" | "backup")[];
  maxAttempts: number;
};

export type AuthorityMode = "actor_bound" | "system_authority";
/** `write_gate`: see `checkWriteGate`; every operation that writes to the provider names it. */
export type Prerequisite =
  | "connection_exists"
  | "connection_verified"
  | "write_gate"
  /** The backup set it takes its items from is there, and the initiator may see it. */
  | "source_exists"
  /** What it does was previewed, not long ago, and nothing has moved since. */
  | "preview_fresh"
  /** What it does was selected before, and nothing selected has moved since. */
  | "selection_unchanged";

export const lifecycles = ["onboarding", "active", "suspended", "offboarding", "archived"] as const;
export type Lifecycle = (typeof lifecycles)[number];

export type OperabilityClass = "verify" | "sync" | "backup" | "write" | "own_rows";

/** Handbook 1, "Tenant lifecycle". `write` has the write gate besides. */
export const operableClasses = {
  onboarding: ["verify", "own_rows"],
  active: ["verify", "sync", "backup", "write", "own_rows"],
  suspended: ["verify", "own_rows"],
  offboarding: ["verify", "backup", "own_rows"],
  archived: ["own_rows"],
} as const satisfies Record<Lifecycle, readonly OperabilityClass[]>;

/** What becomes of a tenant's schedules (handbook 1, "Tenant lifecycle"); a person may still start what the classes permit. */
export const schedulesAt = {
  onboarding: "none",
  active: "run",
  suspended: "paused",
  offboarding: "paused",
  archived: "removed",
} as const satisfies Record<Lifecycle, "none" | "run" | "paused" | "removed">;
