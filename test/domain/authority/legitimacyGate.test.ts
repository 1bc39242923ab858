import { describe, expect, test } from "@jest/globals";
import { lifecycles, type OperabilityClass } from "../../../server/domain/authority/contract.ts";
import { checkNames, type Decision, decide } from "../../../server/domain/authority/decide.ts";
import type { ConnectionFact, Facts } from "../../../server/domain/authority/facts.ts";
import { credentialReserve, previewMaxAge } from "../../../server/domain/authority/prerequisiteChecks.ts";
import { denials, type ReasonCode, reasonCodes } from "../../../server/domain/authority/reasons.ts";

const now = new Date("2026-11-20T14:00:00Z");
const earlier = new Date("2026-11-20T13:59:59.999Z");
const later = new Date("2026-11-20T14:00:00.001Z");
const muchLater = new Date("2026-11-21T14:00:00Z");

const ago = (ms: number) => new Date(now.getTime() - ms);

const verified: ConnectionFact = {
  tenantId: "contoso",
  status: "verified",
  cause: null,
  verifiedAt: earlier,
  credentialVersion: 3,
  verifiedVersion: 3,
  credentialExpiresAt: null,
  grantedRoles: ["Policy.Read"],
  approvalRequired: null,
};

const allowed: Facts = {
  now,
  phase: "begin",
  contract: {
    title: "Sync inventory",
    operability: "sync",
    authorityModes: ["actor_bound", "system_authority"],
    capability: "inventory.sync",
    prerequisites: ["connection_verified"],
    changesAuthority: [],
    maxAttempts: 5,
  },
  authorityMode: "actor_bound",
  workspaceId: "northwind",
  tenantId: "contoso",
  requestExpiresAt: muchLater,
  targetIntact: true,
  workspace: { status: "active" },
  initiator: { status: "active", membership: "active" },
  assignments: [
    {
      roleId: "operator",
      roleName: "Operator",
      capabilities: ["inventory.sync"],
      allTenants: true,
      expiresAt: null,
    },
  ],
  tenant: { workspaceId: "northwind", lifecycle: "active" },
  hold: null,
  workspaceHold: null,
  tenantRunning: 0,
  tenantConcurrency: 4,
  turn: null,
  hasBegun: false,
  source: null,
  plan: null,
  selection: null,
  scheduleId: null,
  schedule: null,
  writeGateMaxAgeHours: 24,
  writeRoles: [],
  connection: verified,
};

const scheduled: Partial<Facts> = {
  authorityMode: "system_authority",
  initiator: null,
  assignments: [],
  scheduleId: "nightly",
  schedule: { status: "active" },
};

const writing: Facts["contract"] = {
  ...allowed.contract,
  operability: "write",
  prerequisites: ["connection_verified", "write_gate"],
};

const restoring: Facts["contract"] = {
  ...writing,
  prerequisites: ["connection_verified", "write_gate", "source_exists", "preview_fresh"],
};

const plan: Facts["plan"] = { matches: true, completedAt: earlier, isTaken: false, staleReason: null };
const backupViewer = {
  roleId: "operator",
  roleName: "Operator",
  capabilities: ["inventory.sync", "backup.view"],
  allTenants: true,
  expiresAt: null,
};
const restore = {
  contract: restoring,
  source: { tenantId: "contoso", assignments: [backupViewer] },
  plan,
} satisfies Partial<Facts>;

const selection = { matches: true, isTaken: false, staleReason: null };
const selecting = {
  contract: { ...writing, prerequisites: [...writing.prerequisites, "selection_unchanged"] },
  selection,
} satisfies Partial<Facts>;

const hold = {
  reason: "credential rotation",
  placedByName: "Olivia",
  placedAt: ago(60_000),
  until: null,
  letThroughAt: null,
};
const grant = (expiresAt: Date | null, capabilities = ["inventory.sync"]) => ({
  roleId: "operator",
  roleName: "Operator",
  capabilities,
  allTenants: true,
  expiresAt,
});

/** Every reason code with the facts that give it; `satisfies` makes a new code without a case fail to compile. */
const cases = {
  workspace_mismatch: [
    { tenant: { workspaceId: "fabrikam", lifecycle: "active" } },
    { workspace: null },
    { workspace: { status: "suspended" } },
    { targetIntact: false },
  ],
  initiator_missing: [{ initiator: null }],
  initiator_not_entitled: [
    { initiator: { status: "disabled", membership: "active" } },
    { initiator: { status: "active", membership: null } },
    { initiator: { status: "active", membership: "suspended" } },
  ],
  tenant_missing: [{ tenant: null, connection: null }],
  tenant_not_entitled: [
    { assignments: [] },
    { assignments: [grant(earlier)] },
    { assignments: [grant(now)] },
    { ...restore, source: { tenantId: "adatum", assignments: [] } },
    { ...restore, source: { tenantId: "adatum", assignments: [{ ...backupViewer, expiresAt: now }] } },
  ],
  missing_capability: [
    { assignments: [grant(null, ["tenant.view"])] },
    { assignments: [grant(null, ["tenant.view"]), grant(earlier)] },
    { contract: { ...allowed.contract, authorityModes: ["system_authority"] } },
    { ...restore, source: { tenantId: "adatum", assignments: [grant(null)] } },
  ],
  system_authority_not_allowed: [
    {
      authorityMode: "system_authority",
      initiator: null,
      assignments: [],
      contract: { ...allowed.contract, authorityModes: ["actor_bound"] },
    },
    { ...scheduled, schedule: { status: "paused" } },
    { ...scheduled, schedule: null },
  ],
  tenant_not_operable: [{ tenant: { workspaceId: "northwind", lifecycle: "suspended" } }],
  provider_connection_invalid: [
    { connection: null },
    { connection: { ...verified, status: "unverified", verifiedAt: null, verifiedVersion: null } },
    { connection: { ...verified, status: "invalid", cause: "AADSTS7000215" } },
    { connection: { ...verified, tenantId: "adatum" } },
    {
      contract: { ...allowed.contract, prerequisites: ["connection_exists"] },
      connection: null,
    },
  ],
  write_gate_blocked: [
    { contract: writing, writeRoles: ["Policy.ReadWrite"] },
    { contract: writing, connection: { ...verified, verifiedVersion: 2 } },
    { contract: writing, connection: { ...verified, verifiedAt: ago(24 * 3_600_000) } },
    { contract: writing, connection: { ...verified, verifiedAt: ago(3_600_000) }, writeGateMaxAgeHours: 1 },
    { contract: writing, connection: { ...verified, credentialExpiresAt: now } },
    { contract: writing, connection: { ...verified, credentialExpiresAt: ago(1 - credentialReserve) } },
  ],
  execution_prerequisite_invalid: [
    { requestExpiresAt: now },
    { requestExpiresAt: earlier },
    { contract: writing, connection: { ...verified, approvalRequired: "a second administrator must agree" } },
    { ...restore, source: null },
    { ...restore, plan: null },
    { ...restore, plan: { ...plan, matches: false } },
    { ...restore, plan: { ...plan, isTaken: true } },
    { ...restore, plan: { ...plan, staleReason: "Edge policy changed since the preview" } },
    { ...restore, plan: { ...plan, completedAt: ago(previewMaxAge) } },
    { ...selecting, selection: null },
    { ...selecting, selection: { ...selection, matches: false } },
    { ...selecting, selection: { ...selection, isTaken: true } },
    { ...selecting, selection: { ...selection, staleReason: "Edge policy changed" } },
  ],
} satisfies Record<ReasonCode, Partial<Facts>[]>;

describe("every reason code", () => {
  for (const code of reasonCodes) {
    test.each(cases[code].map((changed, index) => ({ changed, index })))(
      `${code}, case $index, is the headline with its class and whether it is retryable`,
      ({ changed }) => {
        const decision = decide({ ...allowed, ...changed });
        expect(decision).toMatchObject({ verdict: "denied", reasonCode: code, ...denials[code] });
      },
    );
  }

  test("nothing is denied while every check passes", () => {
    const decision = decide(allowed);
    expect(decision).toMatchObject({ verdict: "allowed", validUntil: null, decidedAt: now });
    expect(resultsOf(decision)).toEqual(
      Object.fromEntries(
        checkNames.map((name) => [name, name === "write_gate" ? "not_applicable" : "passed"]),
      ),
    );
    expect(resultsOf(decide({ ...allowed, contract: writing }))).toMatchObject({ write_gate: "passed" });
    expect(decide({ ...allowed, ...restore }).verdict).toBe("allowed");
  });
});

describe("precedence", () => {
  // One run is either a person's or the system's: these cannot hold together.
  const personal: ReasonCode[] = [
    "initiator_missing",
    "initiator_not_entitled",
    "tenant_not_entitled",
    "missing_capability",
  ];
  const pairs = reasonCodes.flatMap((first, index) =>
    reasonCodes
      .slice(index + 1)
      .filter((second) => second !== "system_authority_not_allowed" || !personal.includes(first))
      .map((second) => [first, second] as const),
  );
  test.each(pairs)("%s comes before %s when both hold", (first, second) => {
    const facts: Facts = { ...allowed, ...cases[second][0], ...cases[first][0] };
    expect(headline(decide(facts))).toBe(first);
  });

  test("several failing conditions are all listed, under the headline of the first", () => {
    const decision = decide({
      ...allowed,
      ...cases.missing_capability[0],
      ...cases.tenant_not_operable[0],
      ...cases.provider_connection_invalid[1],
      ...cases.execution_prerequisite_invalid[0],
    });
    expect(headline(decision)).toBe("missing_capability");
    expect(resultsOf(decision)).toEqual({
      workspace_scope: "passed",
      initiator: "passed",
      tenant_scope: "passed",
      capability: "failed",
      tenant_operability: "failed",
      provider_connection: "failed",
      write_gate: "not_applicable",
      execution_prerequisites: "failed",
    });
  });
});

describe("not applicable: a check whose premise failed or does not exist", () => {
  test("without a member there is no tenant access and no capability to check", () => {
    expect(resultsOf(decide({ ...allowed, initiator: null }))).toMatchObject({
      initiator: "failed",
      tenant_scope: "not_applicable",
      capability: "not_applicable",
      tenant_operability: "passed",
    });
  });

  test("without a tenant there is no lifecycle and no connection to check", () => {
    expect(resultsOf(decide({ ...allowed, tenant: null }))).toMatchObject({
      tenant_scope: "failed",
      tenant_operability: "not_applicable",
      provider_connection: "not_applicable",
    });
  });

  test("a system run has no initiator to check, but a capability: the operation's consent", () => {
    const system: Facts = {
      ...allowed,
      authorityMode: "system_authority",
      initiator: null,
      assignments: [],
    };
    expect(decide(system)).toMatchObject({ verdict: "allowed", validUntil: null });
    expect(resultsOf(decide(system))).toMatchObject({ initiator: "not_applicable", capability: "passed" });
  });

  test.each(lifecycles)("a schedule's run at a tenant that is %s", (lifecycle) => {
    const contract = { ...allowed.contract, operability: "verify" as const };
    const at: Facts = { ...allowed, contract, tenant: { workspaceId: "northwind", lifecycle } };
    // A person may verify nearly everywhere; schedules run at active tenants only.
    expect(decide({ ...at, ...scheduled }).verdict).toBe(lifecycle === "active" ? "allowed" : "denied");
    expect(decide(at).verdict).toBe(lifecycle === "archived" ? "denied" : "allowed");
  });

  test("an actor-bound run whose initiator is gone is never taken for a system run", () => {
    expect(headline(decide({ ...allowed, initiator: null, assignments: [] }))).toBe("initiator_missing");
  });

  test("an operation without a tenant needs its capability at all tenants and no lifecycle", () => {
    const tenantless: Facts = {
      ...allowed,
      tenantId: null,
      tenant: null,
      connection: null,
      contract: { ...allowed.contract, prerequisites: [] },
    };
    expect(resultsOf(decide(tenantless))).toMatchObject({
      tenant_scope: "not_applicable",
      capability: "passed",
      tenant_operability: "not_applicable",
      provider_connection: "not_applicable",
    });
    expect(headline(decide({ ...tenantless, assignments: [] }))).toBe("missing_capability");
  });
});

describe("deferred", () => {
  test("a held tenant's run is neither allowed nor denied when it would begin", () => {
    expect(decide({ ...allowed, hold })).toMatchObject({
      verdict: "deferred",
      deferral: { kind: "hold", until: null },
    });
    expect(decide({ ...allowed, hold: { ...hold, until: later } })).toMatchObject({
      verdict: "deferred",
      deferral: { kind: "hold", until: later },
    });
  });

  test("a hold defers even what would be denied, and still lists the check that fails", () => {
    const decision = decide({ ...allowed, hold, ...cases.missing_capability[0] });
    expect(decision.verdict).toBe("deferred");
    expect(resultsOf(decision)).toMatchObject({ capability: "failed" });
  });

  test("a hold that has ended defers nothing", () => {
    expect(decide({ ...allowed, hold: { ...hold, until: now } }).verdict).toBe("allowed");
  });

  test.each(["request", "checkpoint"] as const)("a hold does not touch the %s phase", (phase) => {
    expect(decide({ ...allowed, hold, phase }).verdict).toBe("allowed");
    expect(decide({ ...allowed, workspaceHold: hold, phase }).verdict).toBe("allowed");
  });

  test("it says whose hold it is, and of two names the wider one", () => {
    const whole = { ...hold, reason: "migration" };
    const heldOf = (facts: Partial<Facts>) => decide({ ...allowed, ...facts });
    expect(heldOf({ hold })).toMatchObject({ deferral: { of: "tenant", reason: "credential rotation" } });
    expect(heldOf({ workspaceHold: whole })).toMatchObject({ deferral: { of: "workspace" } });
    expect(heldOf({ hold, workspaceHold: whole })).toMatchObject({
      deferral: { of: "workspace", reason: "migration" },
    });
    expect(heldOf({ hold, workspaceHold: { ...whole, until: now } })).toMatchObject({
      deferral: { of: "tenant" },
    });
  });

  test("a run that somebody let through one hold waits for no other than those placed since", () => {
    const passed = { ...hold, letThroughAt: ago(1_000) };
    expect(decide({ ...allowed, hold: passed }).verdict).toBe("allowed");
    expect(decide({ ...allowed, workspaceHold: passed }).verdict).toBe("allowed");
    expect(decide({ ...allowed, hold: passed, workspaceHold: hold }).verdict).toBe("deferred");
    expect(decide({ ...allowed, hold: { ...passed, placedAt: ago(500) } }).verdict).toBe("deferred");
  });

  test("a run that was let through is judged like any other", () => {
    const passed = { ...hold, letThroughAt: ago(1_000) };
    const decision = decide({ ...allowed, hold: passed, ...cases.missing_capability[0] });
    expect(headline(decision)).toBe("missing_capability");
  });
});

describe("a tenant with as many runs under way as may be", () => {
  const full = { tenantRunning: 4, tenantConcurrency: 4 };

  test("keeps the next one waiting, and says how many there are", () => {
    expect(decide({ ...allowed, ...full })).toMatchObject({
      verdict: "deferred",
      deferral: { kind: "concurrency", running: 4 },
    });
    expect(decide({ ...allowed, ...full, tenantRunning: 3 }).verdict).toBe("allowed");
  });

  test("keeps nobody waiting to hear that they may not", () => {
    expect(decide({ ...allowed, ...full, ...cases.missing_capability[0] }).verdict).toBe("denied");
  });

  test.each(["request", "checkpoint"] as const)("is no matter in the %s phase", (phase) => {
    expect(decide({ ...allowed, ...full, phase }).verdict).toBe("allowed");
  });
});

describe("a turn to write", () => {
  const turn = { runId: "first", operation: "restore.execute", initiatorName: "Olivia" };

  test("defers what would be allowed to begin, and says whose turn it is", () => {
    expect(decide({ ...allowed, contract: writing, turn })).toMatchObject({
      verdict: "deferred",
      deferral: { kind: "turn", runId: "first", operation: "restore.execute", by: "Olivia" },
    });
  });

  test("does not keep what would be denied waiting to hear it", () => {
    expect(headline(decide({ ...allowed, ...cases.missing_capability[0], turn }))).toBe("missing_capability");
  });

  test.each(["request", "checkpoint"] as const)("does not touch the %s phase", (phase) => {
    expect(decide({ ...allowed, contract: writing, turn, phase }).verdict).toBe("allowed");
  });
});

describe("what may be old", () => {
  const oldPlan = { ...plan, completedAt: ago(previewMaxAge) };

  test("a preview that was fresh when its run began may grow old while it goes on or is retried", () => {
    expect(decide({ ...allowed, ...restore, plan: oldPlan, phase: "checkpoint" }).verdict).toBe("allowed");
    expect(decide({ ...allowed, ...restore, plan: oldPlan, hasBegun: true }).verdict).toBe("allowed");
  });

  test("a credential that ends within the hour does not stop what goes on, only what would begin", () => {
    const connection = { ...verified, credentialExpiresAt: later };
    expect(decide({ ...allowed, contract: writing, connection, phase: "checkpoint" })).toMatchObject({
      verdict: "allowed",
      validUntil: later,
    });
  });
});

describe("time is a fact", () => {
  test("what may be written may be written until the verification is too old or the credential ends", () => {
    const old = { ...verified, verifiedAt: ago(24 * 3_600_000 - 1) };
    expect(decide({ ...allowed, contract: writing, connection: old })).toMatchObject({ validUntil: later });
  });

  test("and until the right to see the backup ends, and by no longer than the right to restore", () => {
    const ending = { ...backupViewer, expiresAt: later };
    const source = { tenantId: "adatum", assignments: [ending] };
    expect(decide({ ...allowed, ...restore, source })).toMatchObject({ validUntil: later });
    expect(decide({ ...allowed, ...restore, assignments: [ending] })).toMatchObject({ validUntil: later });
  });

  test("rights end with the last assignment that grants the capability", () => {
    expect(decide({ ...allowed, assignments: [grant(later)] })).toMatchObject({ validUntil: later });
    expect(decide({ ...allowed, assignments: [grant(later), grant(muchLater)] })).toMatchObject({
      validUntil: muchLater,
    });
    expect(decide({ ...allowed, assignments: [grant(later), grant(null)] })).toMatchObject({
      validUntil: null,
    });
    // One that covers the tenant without granting the capability does not prolong it.
    expect(decide({ ...allowed, assignments: [grant(later), grant(null, ["tenant.view"])] })).toMatchObject({
      validUntil: later,
    });
  });

  test("a run that began in time is not stopped by its request's expiry", () => {
    expect(decide({ ...allowed, phase: "checkpoint", requestExpiresAt: earlier }).verdict).toBe("allowed");
  });
});

describe("tenant lifecycle", () => {
  const permitted: Record<(typeof lifecycles)[number], OperabilityClass[]> = {
    onboarding: ["verify", "own_rows"],
    active: ["verify", "sync", "backup", "write", "own_rows"],
    suspended: ["verify", "own_rows"],
    offboarding: ["verify", "backup", "own_rows"],
    archived: ["own_rows"],
  };
  const classes: OperabilityClass[] = ["verify", "sync", "backup", "write", "own_rows"];
  const table = lifecycles.flatMap((lifecycle) =>
    classes.map((operability) => ({
      lifecycle,
      operability,
      verdict: permitted[lifecycle].includes(operability) ? "allowed" : "denied",
    })),
  );
  test.each(table)("$lifecycle: $operability is $verdict", ({ lifecycle, operability, verdict }) => {
    const decision = decide({
      ...allowed,
      contract: { ...allowed.contract, operability },
      tenant: { workspaceId: "northwind", lifecycle },
    });
    expect(decision.verdict).toBe(verdict);
  });
});

function headline(decision: Decision): ReasonCode | undefined {
  return decision.verdict === "denied" ? decision.reasonCode : undefined;
}

function resultsOf(decision: Decision): Record<string, string> {
  return Object.fromEntries(Object.entries(decision.checks).map(([name, check]) => [name, check.result]));
}
