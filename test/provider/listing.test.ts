import { describe, expect, test } from "@jest/globals";
import { countsByType, generatePolicy } from "../../server/demo/sandbox/policies.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import type { JsonObject } from "../../server/provider/port.ts";
import { never, readAllPages, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();

describe("A listing", () => {
  test.each(policyTypes)("of %s gives every policy with its name, type and whole payload", async (type) => {
    const directory = await openDirectory({ policies: 40 });
    const pages = await readAllPages(directory.openReader(), type);
    const policies = pages.flatMap((page) => page.policies);
    expect(policies).toHaveLength(countsByType(40)[type]);
    policies.forEach((policy, index) => {
      const expected = generatePolicy(directory.directoryId, type, index);
      expect(policy.payload).toEqual(expected);
      expect(policy.id).toBe(expected.id);
      expect(policy.name).toBe(expected.displayName ?? expected.name);
      expect(policy.odataType).toMatch(/^#microsoft\.graph\.\w+$/);
    });
  });

  test("follows next links until there are none and numbers its pages from 1", async () => {
    const directory = await openDirectory({ policies: 600 });
    const pages = await readAllPages(directory.openReader(), "deviceConfigurations");
    expect(pages.map((page) => page.number)).toEqual([1, 2, 3]);
    expect(pages.map((page) => page.policies.length)).toEqual([100, 100, 40]);
    expect(new Set(pages.flatMap((page) => page.policies.map((policy) => policy.id))).size).toBe(240);
  });

  test("of a directory without policies is one empty page", async () => {
    const directory = await openDirectory({ policies: 0 });
    const pages = await readAllPages(directory.openReader(), "deviceCompliancePolicies");
    expect(pages).toEqual([{ number: 1, policies: [] }]);
  });

  test("asks for a page only when the one before has been taken", async () => {
    const directory = await openDirectory({ policies: 600 });
    const listing = directory.openReader().listPolicies("deviceConfigurations", never);
    const pages = listing[Symbol.asyncIterator]();
    await pages.next();
    expect(directory.requests("graph")).toHaveLength(1);
    await pages.next();
    expect(directory.requests("graph")).toHaveLength(2);
  });

  test("asks for the scheduled actions of compliance policies together with them", async () => {
    const directory = await openDirectory({ policies: 40 });
    const [page] = await readAllPages(directory.openReader(), "deviceCompliancePolicies");
    expect(page?.policies[0]?.payload).toHaveProperty(
      "scheduledActionsForRule.0.scheduledActionConfigurations.0",
    );
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("puts all settings of a policy into its payload, however many pages they take", async () => {
    const directory = await openDirectory({ policies: 0 });
    const settings = Array.from({ length: 306 }, (_, index) => ({ id: String(index) }));
    await putCatalogPolicy(directory, "many", { settings });
    await putCatalogPolicy(directory, "none", { settings: [] });
    const [page] = await readAllPages(directory.openReader(), "configurationPolicies");
    expect(page?.policies.map((policy) => policy.payload.settings)).toEqual([settings, []]);
  });

  test("leaves out a policy that was deleted before its settings could be read", async () => {
    const directory = await openDirectory({ policies: 0 });
    await putCatalogPolicy(directory, "stays", { settings: [] });
    await putCatalogPolicy(directory, "goes", { settings: [] });
    await directory.setFaults({ kind: "hold", path: "/goes/settings" });
    const listed = readAllPages(directory.openReader(), "configurationPolicies");
    await directory.sandbox.requests.next((request) => request.path.endsWith("/goes/settings"));
    await directory.control.removePolicy(directory.directoryId, "configurationPolicies", "goes");
    await directory.control.clearFaults(directory.directoryId);
    const [page] = await listed;
    expect(page?.policies.map((policy) => policy.id)).toEqual(["stays"]);
  });

  test("does not leave out a policy whose settings are refused while it still exists", async () => {
    const directory = await openDirectory({ policies: 0 });
    await putCatalogPolicy(directory, "stays", { settings: [] });
    await directory.setFaults({ kind: "status", status: 404, path: "/stays/settings" });
    const listed = readAllPages(directory.openReader(), "configurationPolicies");
    await expect(listed).rejects.toMatchObject({ name: "ProviderError", code: "rejected" });
  });

  test("reads the settings of at most four policies at a time", async () => {
    const directory = await openDirectory({ policies: 40 });
    await directory.setFaults({ kind: "hold", path: "/settings" });
    const listed = readAllPages(directory.openReader(), "configurationPolicies");
    const settingsAsked = () =>
      directory.requests("graph").filter((request) => request.path.endsWith("/settings"));
    while (settingsAsked().length < 4) await directory.sandbox.requests.next(() => true);
    // A fifth would have been sent together with these, and have arrived before this round trip ends.
    await directory.control.requests(directory.directoryId);
    expect(settingsAsked()).toHaveLength(4);
    await directory.control.clearFaults(directory.directoryId);
    expect((await listed)[0]?.policies).toHaveLength(16);
    expect(settingsAsked()).toHaveLength(16);
  });
});

test("The organization names the directory", async () => {
  const directory = await openDirectory({ displayName: "Fabrikam Services" });
  const organization = await directory.openReader().readOrganization(never);
  expect(organization).toEqual({ directoryId: directory.directoryId, displayName: "Fabrikam Services" });
});

test("Every call carries a request id of its own", async () => {
  const directory = await openDirectory({ policies: 40 });
  await readAllPages(directory.openReader(), "configurationPolicies");
  const ids = directory.sandbox.requests
    .list(directory.directoryId)
    .map((request) => request.clientRequestId);
  expect(ids.length).toBeGreaterThan(16);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
});

async function putCatalogPolicy(
  directory: Awaited<ReturnType<typeof openDirectory>>,
  id: string,
  payload: JsonObject,
): Promise<void> {
  await directory.control.putPolicy(directory.directoryId, "configurationPolicies", id, {
    name: id,
    ...payload,
  });
}
