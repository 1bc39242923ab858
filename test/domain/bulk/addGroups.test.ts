import { describe, expect, test } from "@jest/globals";
import { addGroups } from "../../../server/domain/bulk/addGroups.ts";
import type { JsonObject } from "../../../server/provider/port.ts";

const include = (id: string) => ({ id, name: `Group ${id}`, excludes: false });
const exclude = (id: string) => ({ id, name: `Group ${id}`, excludes: true });
const target = (kind: string, groupId?: string): JsonObject => ({
  target: { "@odata.type": `#microsoft.graph.${kind}`, ...(groupId !== undefined && { groupId }) },
});
const to = (id: string) => target("groupAssignmentTarget", id);
const except = (id: string) => target("exclusionGroupAssignmentTarget", id);
const everyDevice = target("allDevicesAssignmentTarget");
const narrowed: JsonObject = {
  target: {
    "@odata.type": "#microsoft.graph.groupAssignmentTarget",
    groupId: "a",
    deviceAndAppManagementAssignmentFilterId: "f",
    deviceAndAppManagementAssignmentFilterType: "include",
  },
};

describe("the whole set that is sent", () => {
  test.each([
    ["a group besides those there", [to("a"), everyDevice], [include("b")], [to("a"), everyDevice, to("b")]],
    ["a group left out besides", [everyDevice], [exclude("b")], [everyDevice, except("b")]],
    ["nobody there yet", [], [include("b")], [to("b")]],
    ["nothing that is not there", [to("a")], [include("a")], null],
    ["nobody who is left out", [except("a")], [include("a")], null],
  ] as const)("%s", (_title, live, groups, sent) => {
    expect(addGroups([...live], groups).assignments).toEqual(sent);
  });

  test("a group that is left out now is not assigned, and it says so", () => {
    expect(addGroups([except("a")], [include("a")]).notes).toEqual([
      "It is not assigned to “Group a”, which is left out at present.",
    ]);
  });

  test("leaving a group out that had it takes it from the group, and it says so", () => {
    expect(addGroups([to("a"), everyDevice], [exclude("a")])).toEqual({
      assignments: [everyDevice, except("a")],
      notes: ["It is no longer assigned to “Group a”."],
    });
  });

  test("who is narrowed by a filter stays narrowed, and it says so", () => {
    expect(addGroups([narrowed], [include("a")])).toEqual({
      assignments: null,
      notes: ["It is assigned to “Group a” already, narrowed by a filter."],
    });
    expect(addGroups([narrowed], [include("b")]).assignments).toEqual([narrowed, to("b")]);
  });
});
