import { describe, expect, test } from "@jest/globals";
import type { AppDefinition } from "../../server/demo/sandbox/directories.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import {
  clientId,
  everyType,
  never,
  readAllPages,
  refusalOf,
  secret,
  someGroups,
  type TestDirectory,
  useSandbox,
} from "./sandboxed.ts";

const openDirectory = useSandbox();
const withAssignments = { assignments: true };
const assigned = { policies: 100, groups: someGroups };

describe("A policy read alone", () => {
  test.each(policyTypes)("of %s is the same as in the listing with assignments", async (type) => {
    const directory = await openDirectory({ policies: 10, extras: everyType, groups: someGroups });
    const reader = directory.openReader();
    const listed = await listAll(directory, type);
    expect(listed.length).toBeGreaterThan(1);
    for (const policy of listed) expect(await reader.readPolicy(type, policy.id, never)).toEqual(policy);
  });

  test.each(policyTypes)("of %s is null when it is not there", async (type) => {
    const directory = await openDirectory();
    expect(await directory.openReader().readPolicy(type, crypto.randomUUID(), never)).toBeNull();
  });

  test.each(policyTypes)("of %s is what the listing of identities names", async (type) => {
    const directory = await openDirectory({ policies: 10, extras: everyType });
    const identities = [];
    for await (const page of directory.openReader().listIdentities(type, never)) identities.push(...page);
    expect(directory.requests("graph")).toHaveLength(1);
    const listed = await listAll(directory, type);
    expect(identities).toEqual(listed.map(({ id, matchKey }) => ({ id, matchKey })));
  });
});

describe("A policy's assignments", () => {
  test("are those of the provider, and null when they are not asked for", async () => {
    const directory = await openDirectory(assigned);
    const type = "deviceConfigurations";
    const listed = await listAll(directory, type);
    const kept = await directory.control.listPolicies(directory.directoryId, type);
    expect(listed.map((policy) => policy.assignments)).toEqual(kept.map((policy) => policy.assignments));
    expect(listed.some((policy) => policy.assignments?.length === 2)).toBe(true);
    const [page] = await readAllPages(directory.openReader(), type);
    expect(page?.policies.map((policy) => policy.assignments)).toEqual(listed.map(() => null));
  });

  test.each(["conditionalAccessPolicies", "assignmentFilters", "roleScopeTags"] as const)(
    "of %s are null: there are none apart from the policy",
    async (type) => {
      const directory = await openDirectory({ extras: everyType });
      expect((await listAll(directory, type)).map((policy) => policy.assignments)).toEqual([
        null,
        null,
        null,
      ]);
    },
  );

  test("are asked for twenty at a time", async () => {
    const directory = await openDirectory(assigned);
    const listed = await listAll(directory, "deviceConfigurations");
    expect(listed).toHaveLength(40);
    expect(calls(directory)).toEqual(["deviceConfigurations", "$batch", "$batch"]);
  });

  test("of a policy that was deleted meanwhile leave it out", async () => {
    const directory = await openDirectory(assigned);
    const [first, second, ...others] = await listAll(directory, "deviceConfigurations");
    const pages = directory.openReader().listPolicies("deviceConfigurations", never, withAssignments);
    await directory.setFaults({ kind: "hold", path: "$batch" });
    const page = pages[Symbol.asyncIterator]().next();
    await directory.sandbox.requests.next((request) => request.path.endsWith("$batch"));
    await directory.control.removePolicy(directory.directoryId, "deviceConfigurations", first?.id ?? "");
    await directory.control.clearFaults(directory.directoryId);
    expect((await page).value?.policies).toEqual([second, ...others]);
  });

  test("that are not found although the policy is there are not taken for none", async () => {
    const directory = await openDirectory(assigned);
    await directory.setFaults({ kind: "status", status: 404, path: "/assignments" });
    const refusal = await refusalOf(listAll(directory, "deviceConfigurations"));
    expect(refusal.code).toBe("rejected");
  });

  test("that take several pages are followed out of the batch", async () => {
    const directory = await openDirectory({ policies: 0 });
    const assignments = Array.from({ length: 130 }, (_, index) => ({ id: String(index) }));
    const type = "deviceConfigurations";
    const payload = { "@odata.type": "#microsoft.graph.windows10GeneralConfiguration", displayName: "A" };
    await directory.control.putPolicy(directory.directoryId, type, "a", payload, assignments);
    const [policy] = await listAll(directory, type);
    expect(policy?.assignments).toEqual(assignments);
  });
});

describe("An administrative template", () => {
  const type = "groupPolicyConfigurations";
  const part = "/presentationValues";

  test("comes with what its values are of, asked for together", async () => {
    const directory = await openDirectory({ policies: 0, extras: { [type]: 1 } });
    const [policy] = await listAll(directory, type);
    expect(policy?.payload).toHaveProperty("definitionValues.0.definition.id");
    expect(JSON.stringify(policy?.payload.definitionValues)).toContain('"presentation":{');
    expect(calls(directory)).toEqual([type, "definitionValues", "$batch", "$batch"]);
  });

  test("that is deleted while its values are read is left out", async () => {
    const directory = await openDirectory({ policies: 0, extras: { [type]: 3 } });
    const [first, ...others] = await listAll(directory, type);
    const path = `${first?.id}/definitionValues/`;
    await directory.setFaults({ kind: "hold", path });
    const listed = listAll(directory, type);
    await directory.sandbox.requests.next((request) => request.path.includes(path));
    await directory.control.removePolicy(directory.directoryId, type, first?.id ?? "");
    await directory.control.clearFaults(directory.directoryId);
    expect(await listed).toEqual(others);
  });

  test("loses none of its values silently", async () => {
    const directory = await openDirectory({ policies: 0, extras: { [type]: 2 } });
    await directory.setFaults({ kind: "status", status: 404, path: part, times: 1 });
    // Whoever asks again finds it, or finds it gone.
    expect((await refusalOf(listAll(directory, type))).code).toBe("unavailable");
  });
});

describe("Within a batch", () => {
  const path = "/assignments";

  test("what is throttled is asked for again after the longest wait, and nothing else is", async () => {
    const directory = await openDirectory(assigned, { secondMs: 40, backoffMs: 0 });
    await directory.setFaults({ kind: "status", status: 429, retryAfter: "5", path, times: 3 });
    expect(await listAll(directory, "deviceCompliancePolicies")).toHaveLength(20);
    expect(calls(directory)).toEqual(["deviceCompliancePolicies", "$batch", "$batch"]);
    const [, first, second] = directory.requests("graph").filter((request) => !request.inBatch);
    expect((second?.time ?? 0) - (first?.time ?? 0)).toBeGreaterThanOrEqual(195);
    expect(directory.requests("graph").filter((request) => request.inBatch)).toHaveLength(23);
  });

  test("what stays throttled is unavailable after four attempts", async () => {
    const directory = await openDirectory(assigned);
    await directory.setFaults({ kind: "status", status: 429, path });
    const refusal = await refusalOf(listAll(directory, "deviceCompliancePolicies"));
    expect(refusal).toMatchObject({ code: "unavailable", detail: "Status429" });
    expect(calls(directory)).toHaveLength(5);
  });

  test("what refuses the token is asked for by itself with a new one", async () => {
    const directory = await openDirectory(assigned);
    await directory.setFaults({ kind: "unauthorized", path, times: 2 });
    expect(await listAll(directory, "deviceCompliancePolicies")).toHaveLength(20);
    expect(calls(directory)).toEqual(["deviceCompliancePolicies", "$batch", "assignments", "assignments"]);
  });

  test.each([
    ["approval_required", "approval_required"],
    ["html", "malformed_answer"],
    ["bad_json", "malformed_answer"],
    ["wrong_shape", "malformed_answer"],
    ["error_in_200", "malformed_answer"],
    ["foreign_next_link", "malformed_answer"],
    ["looping_next_link", "malformed_answer"],
  ] as const)("an answer that is %s is %s", async (kind, code) => {
    const directory = await openDirectory(assigned);
    await directory.setFaults({ kind, path, skip: 3, times: 1 });
    const refusal = await refusalOf(listAll(directory, "deviceCompliancePolicies"));
    expect(refusal.code).toBe(code);
    expect(JSON.stringify(refusal)).not.toMatch(/eyJ|https?:/);
  });

  test.each(["wrong_shape", "error_in_200"] as const)(
    "an answer that is %s is not kept as the policy it was asked for",
    async (kind) => {
      const type = "deviceManagementScripts";
      const directory = await openDirectory({ policies: 0, extras: { [type]: 3 } });
      await directory.setFaults({ kind, path: `${type}/`, skip: 1, times: 1 });
      expect((await refusalOf(listAll(directory, type))).code).toBe("malformed_answer");
    },
  );

  test("a collection without end is given up after a thousand pages", async () => {
    const directory = await openDirectory(assigned);
    await directory.setFaults({ kind: "endless_next_links", path });
    const refusal = await refusalOf(listAll(directory, "deviceCompliancePolicies"));
    expect(refusal.code).toBe("malformed_answer");
    expect(calls(directory)).toHaveLength(1_001);
  });
});

describe("A batch as a whole", () => {
  test.each(["html", "bad_json", "wrong_shape", "error_in_200", "endless_body"] as const)(
    "that is %s is malformed and not sent again",
    async (kind) => {
      const directory = await openDirectory(assigned);
      await directory.setFaults({ kind, path: "$batch" });
      const refusal = await refusalOf(listAll(directory, "deviceConfigurations"));
      expect(refusal.code).toBe("malformed_answer");
      expect(calls(directory)).toEqual(["deviceConfigurations", "$batch"]);
    },
  );

  test("that is throttled or stalls is sent again: it only reads", async () => {
    const directory = await openDirectory(assigned, { callMs: 400 });
    await directory.setFaults(
      { kind: "status", status: 429, path: "$batch", times: 1 },
      { kind: "stalled_body", path: "$batch", times: 1 },
    );
    expect(await listAll(directory, "deviceCompliancePolicies")).toHaveLength(20);
    expect(calls(directory)).toEqual(["deviceCompliancePolicies", "$batch", "$batch", "$batch"]);
  });

  test("under way ends with the caller's own reason when the caller aborts", async () => {
    const reason = new Error("authority withdrawn");
    const directory = await openDirectory(assigned);
    await directory.setFaults({ kind: "hold", path: "$batch" });
    const stop = new AbortController();
    const reader = directory.openReader();
    const listing = readAllPages(reader, "deviceConfigurations", stop.signal, withAssignments);
    await directory.sandbox.requests.next((request) => request.path.endsWith("$batch"));
    stop.abort(reason);
    await expect(listing).rejects.toBe(reason);
  });
});

describe("Groups", () => {
  test("are found by id, and those that do not exist are left out", async () => {
    const directory = await openDirectory({ groups: someGroups });
    const [staff, pilot] = someGroups;
    const ids = [staff?.id ?? "", crypto.randomUUID(), pilot?.id ?? "", staff?.id ?? ""];
    expect(await directory.openReader().findGroupsById(ids, never)).toEqual([
      { id: staff?.id, name: "All staff" },
      { id: pilot?.id, name: "Pilot" },
    ]);
    expect(calls(directory)).toEqual(["$batch"]);
  });

  test.each([400, 404])("that the provider answers with %d do not exist", async (status) => {
    const directory = await openDirectory({ groups: someGroups });
    await directory.setFaults({ kind: "status", status, path: "/groups/", times: 1 });
    const ids = someGroups.map(({ id }) => id);
    expect(await directory.openReader().findGroupsById(ids, never)).toHaveLength(2);
  });

  test("that may not be read are a missing permission", async () => {
    const roles = ["Organization.Read.All"];
    const apps: AppDefinition[] = [{ clientId, secret, secretState: "valid", roles }];
    const reader = (await openDirectory({ apps, groups: someGroups })).openReader();
    expect((await refusalOf(reader.findGroupsById(["1"], never))).code).toBe("permission_missing");
    expect((await refusalOf(reader.findGroupsByName(["A"], never))).code).toBe("permission_missing");
  });

  test("are found by name, all that have it, whatever characters are in it", async () => {
    const name = "O'Neil & Söhne #1 + 100%?";
    const groups = ["1", "2"].map((id) => ({ id, displayName: name }));
    const directory = await openDirectory({ groups: [...groups, ...someGroups] });
    const found = await directory.openReader().findGroupsByName(["Nobody", name, "Pilot"], never);
    expect(found).toEqual([
      { id: "1", name },
      { id: "2", name },
      { id: someGroups[1]?.id, name: "Pilot" },
    ]);
  });

  test("more than twenty are asked for in several batches, and none in none", async () => {
    const groups = Array.from({ length: 45 }, (_, index) => ({ id: `g${index}`, displayName: `G ${index}` }));
    const directory = await openDirectory({ groups });
    const ids = groups.map(({ id }) => id);
    const reader = directory.openReader();
    expect(await reader.findGroupsById([], never)).toEqual([]);
    expect((await reader.findGroupsById(ids, never)).map(({ id }) => id)).toEqual(ids);
    expect(calls(directory)).toEqual(["$batch", "$batch", "$batch"]);
  });
});

async function listAll(directory: TestDirectory, type: (typeof policyTypes)[number]) {
  const pages = await readAllPages(directory.openReader(), type, never, withAssignments);
  return pages.flatMap((page) => page.policies);
}

/** The last part of the path of every call that was a request of its own. */
function calls(directory: TestDirectory): string[] {
  const own = directory.requests("graph").filter((request) => !request.inBatch);
  return own.map((request) => request.path.split("/").at(-1) ?? "");
}
