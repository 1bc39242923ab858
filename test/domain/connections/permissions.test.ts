import { expect, test } from "@jest/globals";
import { describeExpiry } from "../../../server/domain/connections/describeExpiry.ts";
import {
  describeOperations,
  describeTypes,
  listMissing,
} from "../../../server/domain/connections/permissions.ts";
import { policyTypes, rolesOf } from "../../../server/provider/policyTypes.ts";

const configuration = "DeviceManagementConfiguration.ReadWrite.All";
const everything = [...new Set(policyTypes.flatMap((type) => rolesOf[type].write))];

test("with every permission to write nothing is missing", () => {
  for (const operation of describeOperations(everything))
    expect(operation).toMatchObject({ missing: [], possible: operation.of });
  expect(describeTypes(everything).every(({ read, write }) => read.length + write.length === 0)).toBe(true);
});

test("each operation on policies says what it lacks, and for which types", () => {
  const described = describeOperations([configuration]);
  expect(described.map(({ operation }) => operation)).toEqual(
    expect.arrayContaining(["inventory.sync", "backup.create", "restore.preview", "restore.execute"]),
  );
  expect(described.find(({ operation }) => operation === "inventory.sync")).toMatchObject({
    possible: 6,
    of: 8,
    missing: [
      { role: "DeviceManagementScripts.Read.All", types: ["PowerShell scripts"] },
      { role: "Policy.Read.All", types: ["Conditional Access policies"] },
    ],
  });
  expect(described.find(({ operation }) => operation === "restore.execute")?.missing).toEqual([
    { role: "DeviceManagementScripts.ReadWrite.All", types: ["PowerShell scripts"] },
    { role: "Policy.Read.All", types: ["Conditional Access policies"] },
    { role: "Policy.ReadWrite.ConditionalAccess", types: ["Conditional Access policies"] },
    { role: "Application.Read.All", types: ["Conditional Access policies"] },
  ]);
});

test("a permission that several types need is named once", () => {
  const [first] = listMissing("write", []);
  expect(first).toMatchObject({ role: configuration });
  expect(first?.types).toHaveLength(6);
});

test("a permission to write lets be read, and not the other way round", () => {
  const reading = configuration.replace("ReadWrite", "Read");
  const [tags] = describeTypes([reading]);
  expect(tags).toMatchObject({ type: "roleScopeTags", read: [], write: [configuration] });
  expect(describeTypes([configuration])[0]).toMatchObject({ read: [], write: [] });
});

const now = new Date("2026-11-23T12:00:00Z");
const at = (days: number) => new Date(now.getTime() + days * 86_400_000);

test.each<[string, Date | null, string | null]>([
  ["no known end", null, null],
  ["a far end", at(31), null],
  ["30 days", at(30.5), "Credential expires in 30 days"],
  ["12 days", at(12.1), "Credential expires in 12 days"],
  ["one day", at(1.2), "Credential expires in 1 day"],
  ["hours", at(0.4), "Credential expires within a day"],
  ["this moment", at(0), "Credential expired"],
  ["the past", at(-3), "Credential expired"],
])("a credential with %s", (_name, expiresAt, label) => {
  expect(describeExpiry(expiresAt, now)?.badge.label ?? null).toBe(label);
});
