import { describe, expect, test } from "@jest/globals";
import { never, readAllPages, refusalOf, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();

describe("An answer", () => {
  test.each(["html", "bad_json", "wrong_shape", "error_in_200"] as const)(
    "that is not a page (%s) is malformed and not asked for again",
    async (kind) => {
      const directory = await openDirectory();
      await directory.setFaults({ kind });
      const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
      expect(refusal.code).toBe("malformed_answer");
      expect(directory.requests("graph")).toHaveLength(1);
    },
  );

  test("that does not name the organization is malformed", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "wrong_shape" });
    const refusal = await refusalOf(directory.openReader().readOrganization(never));
    expect(refusal.code).toBe("malformed_answer");
  });

  test("without end is cut off at the size limit", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "endless_body" });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal.code).toBe("malformed_answer");
    expect(refusal.message).toContain("16777216 bytes");
    expect(refusal.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("that is a page of more objects than any has is malformed, and nothing is asked about them", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "crowded_page", path: "Policies?" });
    const reader = directory.openReader();
    const listing = readAllPages(reader, "deviceCompliancePolicies", never, { assignments: true });
    expect((await refusalOf(listing)).message).toBe("A page holds more than 5000 objects");
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test.each([
    ["a type", { displayName: "x" }],
    ["a name that could be one", { displayName: "錠".repeat(700), "@odata.type": "#microsoft.graph.x" }],
    ["a readable name", { displayName: 7, "@odata.type": "#microsoft.graph.iosCompliancePolicy" }],
  ])("with a policy that lacks %s is malformed", async (_what, payload) => {
    const directory = await openDirectory({ policies: 0 });
    const type = "deviceCompliancePolicies";
    await directory.control.putPolicy(directory.directoryId, type, "p1", payload);
    const refusal = await refusalOf(readAllPages(directory.openReader(), type));
    expect(refusal.code).toBe("malformed_answer");
  });
});

describe("A next link", () => {
  test("to another origin is not followed", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "foreign_next_link" });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal).toMatchObject({
      code: "malformed_answer",
      message: "A next link leads away from the configured address",
    });
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("back to a page already read ends the listing", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "looping_next_link" });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal.code).toBe("malformed_answer");
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("always to one more empty page ends the listing after a thousand pages", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "endless_next_links" });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal.code).toBe("malformed_answer");
    expect(directory.requests("graph")).toHaveLength(1_000);
  });

  test("after an empty page is followed", async () => {
    const directory = await openDirectory({ policies: 40 });
    await directory.setFaults({ kind: "endless_next_links", times: 1 });
    const pages = await readAllPages(directory.openReader(), "deviceConfigurations");
    expect(pages.map((page) => page.policies.length)).toEqual([0, 16]);
  });
});

describe("A payload", () => {
  const type = "deviceConfigurations";
  const odataType = "#microsoft.graph.windows10GeneralConfiguration";

  test("is stored as it is, but for characters that no database can hold", async () => {
    const directory = await openDirectory({ policies: 0 });
    const payload = { "@odata.type": odataType, displayName: "a\0b", "k\0": ["\ud800!", "\\u0000", "😀"] };
    await directory.control.putPolicy(directory.directoryId, type, "a", payload);
    const [page] = await readAllPages(directory.openReader(), type);
    expect(page?.policies[0]?.name).toBe("a\uFFFDb");
    expect(page?.policies[0]?.payload).toMatchObject({ "k\uFFFD": ["\uFFFD!", "\\u0000", "😀"] });
  });

  test("whose settings are larger than any policy's is malformed, though no page is", async () => {
    const directory = await openDirectory({ policies: 0 });
    const settings = Array.from({ length: 150 }, (_, index) => ({ index, value: "x".repeat(60_000) }));
    const payload = { name: "A", settings };
    await directory.control.putPolicy(directory.directoryId, "configurationPolicies", "a", payload);
    const refusal = await refusalOf(readAllPages(directory.openReader(), "configurationPolicies"));
    expect(refusal.message).toBe("A collection is too large to belong to one object");
    expect(directory.requests("graph")).toHaveLength(3);
  });

  test("of which several together are larger than a page of them ever is, is malformed", async () => {
    const directory = await openDirectory({ policies: 0 });
    const settings = Array.from({ length: 100 }, (_, index) => ({ index, value: "x".repeat(75_000) }));
    for (const id of ["a", "b", "c", "d", "e", "f", "g"]) {
      const payload = { name: id, settings };
      await directory.control.putPolicy(directory.directoryId, "configurationPolicies", id, payload);
    }
    const refusal = await refusalOf(readAllPages(directory.openReader(), "configurationPolicies"));
    expect(refusal.message).toBe("What belongs to a page of policies is too large");
  });

  test("nested beyond all measure is malformed", async () => {
    const directory = await openDirectory({ policies: 0 });
    const deep = JSON.parse(`${"[".repeat(400)}${"]".repeat(400)}`);
    const payload = { "@odata.type": odataType, displayName: "A", deep };
    await directory.control.putPolicy(directory.directoryId, type, "a", payload);
    const refusal = await refusalOf(readAllPages(directory.openReader(), type));
    expect(refusal.code).toBe("malformed_answer");
  });
});
