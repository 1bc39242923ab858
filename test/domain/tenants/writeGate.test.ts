import { expect, test } from "@jest/globals";
import { decide } from "../../../server/domain/authority/decide.ts";
import type { ConnectionFact, Facts } from "../../../server/domain/authority/facts.ts";
import { contractOf } from "../../../server/domain/operations/catalog.ts";
import { describeWriteGate } from "../../../server/domain/tenants/describeWriteGate.ts";
import { policyTypes, rolesOf } from "../../../server/provider/policyTypes.ts";

const now = new Date("2026-11-23T12:00:00Z");
const at = (hours: number) => new Date(now.getTime() + hours * 3_600_000);
const tenantId = "t";
const allRoles = [...new Set(policyTypes.flatMap((type) => rolesOf[type].write))];

function factsWith(changed: Partial<ConnectionFact> | null): Facts {
  return {
    now,
    phase: "request",
    contract: contractOf("restore.execute"),
    authorityMode: "actor_bound",
    workspaceId: "w",
    tenantId,
    requestExpiresAt: at(24),
    targetIntact: true,
    workspace: { status: "active" },
    initiator: { status: "active", membership: "active" },
    writeRoles: [],
    assignments: [
      {
        roleId: "manager",
        roleName: "Manager",
        capabilities: ["restore.execute", "backup.view"],
        allTenants: true,
        expiresAt: null,
      },
    ],
    tenant: { workspaceId: "w", lifecycle: "active" },
    turn: null,
    hasBegun: false,
    source: null,
    plan: null,
    selection: null,
    writeGateMaxAgeHours: 24,
    hold: null,
    workspaceHold: null,
    tenantRunning: 0,
    tenantConcurrency: 4,
    scheduleId: null,
    schedule: null,
    connection:
      changed === null
        ? null
        : {
            tenantId,
            status: "verified",
            cause: null,
            verifiedAt: at(-3),
            credentialVersion: 2,
            verifiedVersion: 2,
            credentialExpiresAt: null,
            grantedRoles: allRoles,
            approvalRequired: null,
            ...changed,
          },
  };
}

function failing(changed: Partial<ConnectionFact> | null): string[] {
  const { checks } = describeWriteGate(factsWith(changed));
  return checks.filter(({ result }) => result === "failed").map(({ label, fix }) => `${label}: ${fix}`);
}

test("with all in order it is open, and says until when", () => {
  const gate = describeWriteGate(factsWith({}));
  expect(gate.state).toBe("open");
  expect(gate.checks.map(({ result }) => result)).not.toContain("failed");
  expect(gate.checks).toContainEqual(
    expect.objectContaining({ found: "The last verification counts until", at: at(21) }),
  );
});

test.each<[string, Partial<ConnectionFact> | null, string[]]>([
  ["no connection", null, ["Connection verified: replace"]],
  ["a refused credential", { status: "invalid", cause: "No." }, ["Connection verified: replace"]],
  [
    "a credential that was just replaced",
    { status: "unverified", verifiedAt: null, verifiedVersion: null },
    ["Connection verified: verify", "With the present credential: verify", "Verified recently: verify"],
  ],
  ["an older credential verified", { verifiedVersion: 1 }, ["With the present credential: verify"]],
  ["a verification of yesterday", { verifiedAt: at(-24) }, ["Verified recently: verify"]],
  ["an expired credential", { credentialExpiresAt: at(-1) }, ["Credential lasts: replace"]],
  ["a credential with minutes left", { credentialExpiresAt: at(0.5) }, ["Credential lasts: replace"]],
  ["an approval pending", { approvalRequired: "Ask somebody." }, ["No approval pending: approve"]],
  ["no permission to write", { grantedRoles: [] }, ["Permissions to write: grant"]],
])("closed by %s, which alone fails", (_name, changed, expected) => {
  expect(failing(changed)).toEqual(expected);
  expect(describeWriteGate(factsWith(changed)).state).toBe("closed");
});

test("where some types can be written it is partly open, and names what the others lack", () => {
  const gate = describeWriteGate(
    factsWith({ grantedRoles: ["DeviceManagementConfiguration.ReadWrite.All"] }),
  );
  expect(gate.state).toBe("partly");
  expect(gate.types.filter(({ missing }) => missing.length > 0)).toMatchObject([
    { type: "deviceManagementScripts", missing: ["DeviceManagementScripts.ReadWrite.All"] },
    { type: "conditionalAccessPolicies", missing: rolesOf.conditionalAccessPolicies.write },
  ]);
});

const aspects: { [K in keyof ConnectionFact]?: ConnectionFact[K][] } = {
  status: ["verified", "unverified"],
  verifiedAt: [at(-3), at(-25), null],
  verifiedVersion: [2, 1, null],
  credentialExpiresAt: [null, at(48), at(0.5), at(-1)],
  grantedRoles: [allRoles, ["DeviceManagementConfiguration.ReadWrite.All"], []],
  approvalRequired: [null, "Ask somebody."],
};

/** Every combination of every aspect. */
function everyConnection(): Partial<ConnectionFact>[] {
  return Object.entries(aspects).reduce<Partial<ConnectionFact>[]>(
    (all, [name, values]) => all.flatMap((some) => values.map((value) => ({ ...some, [name]: value }))),
    [{}],
  );
}

test("it says for each type what a request to write it would be told, whatever the connection's state", () => {
  const gated = ["provider_connection", "write_gate", "execution_prerequisites"] as const;
  for (const connection of everyConnection()) {
    const facts = factsWith(connection);
    const gate = describeWriteGate(facts);
    for (const type of policyTypes) {
      const { checks } = decide({
        ...facts,
        contract: { ...facts.contract, prerequisites: ["connection_verified", "write_gate"] },
        writeRoles: [...rolesOf[type].write],
      });
      const isAllowed = gated.every((name) => checks[name].result === "passed");
      const isShown =
        gate.state !== "closed" && gate.types.every((row) => row.type !== type || row.missing.length === 0);
      expect({ connection, type, isShown }).toEqual({ connection, type, isShown: isAllowed });
    }
  }
});
