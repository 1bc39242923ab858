import { expect, test } from "@jest/globals";
import { comparable, digestOfAssignments } from "../../../server/domain/backups/assignment.ts";
import { fieldDiff } from "../../../server/domain/backups/fieldDiff.ts";
import { namedDiff } from "../../../server/domain/backups/namedDiff.ts";

test("a difference is told field by field, with its path as people write it", () => {
  expect(
    fieldDiff({ a: { b: [1, { c: 2 }] }, gone: null }, { a: { b: [1, { c: 3 }] }, "new one": [] }),
  ).toEqual([
    { path: "a.b[1].c", before: 2, after: 3 },
    { path: "gone", before: null },
    { path: "new one", after: [] },
  ]);
});

test("what is there on one side only is told as a whole, and equal values not at all", () => {
  expect(fieldDiff(null, { a: 1 })).toEqual([{ path: "", before: null, after: { a: 1 } }]);
  expect(fieldDiff({ a: [1] }, { a: [1] })).toEqual([]);
});

test("at most 500 differences are told", () => {
  const many = (n: number) => Array.from({ length: 600 }, (_, index) => index + n);
  expect(fieldDiff(many(0), many(1))).toHaveLength(500);
});

test("what stands in a list is told by what it is of, and not by its place", () => {
  const setting = (id: string, value: number) => ({
    settingInstance: { settingDefinitionId: id, children: [{ settingDefinitionId: `${id}_x`, value }] },
  });
  const before = { settings: [setting("a", 1), setting("b", 1), setting("c", 1)] };
  const after = { settings: [setting("b", 1), setting("c", 2), setting("d", 1)] };
  expect(namedDiff(before, after)).toEqual([
    { path: "settings[a]", before: setting("a", 1) },
    { path: "settings[c].settingInstance.children[c_x].value", before: 1, after: 2 },
    { path: "settings[d]", after: setting("d", 1) },
  ]);
  const custom = (...uris: string[]) => ({ omaSettings: uris.map((omaUri) => ({ omaUri })) });
  expect(namedDiff(custom("a", "b"), custom("b"))).toEqual([
    { path: "omaSettings[a]", before: { omaUri: "a" } },
  ]);
});

test("by its place where names do not tell it apart, or nothing but the order differs", () => {
  const twice = (value: number) => [
    { settingDefinitionId: "a", value: 1 },
    { settingDefinitionId: "a", value },
  ];
  expect(namedDiff(twice(1), twice(2))).toEqual([{ path: "[1].value", before: 1, after: 2 }]);
  expect(namedDiff([{ list: twice(1) }], [{ list: twice(2) }, 3])).toEqual([
    { path: "[0].list[1].value", before: 1, after: 2 },
    { path: "[1]", after: 3 },
  ]);
  const [a, b] = [{ omaUri: "a" }, { omaUri: "b" }];
  expect(namedDiff([a, b], [b, a])).toHaveLength(2);
  expect(namedDiff([a, b], [a, b])).toEqual([]);
});

const target = { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: "g" };
const none = {
  deviceAndAppManagementAssignmentFilterId: null,
  deviceAndAppManagementAssignmentFilterType: "none",
};
const some = {
  deviceAndAppManagementAssignmentFilterId: "f",
  deviceAndAppManagementAssignmentFilterType: "include",
};

test("assignments that mean the same are equal, in whatever order and wherever they came from", () => {
  const shown = { id: "x", source: "direct", sourceId: "y", target: { ...target, ...none } };
  expect(comparable(shown)).toEqual({ target });
  expect(digestOfAssignments([shown, { target: { ...target, ...some } }])).toBe(
    digestOfAssignments([{ target: { ...some, ...target } }, { target }]),
  );
  expect(digestOfAssignments([{ target }])).not.toBe(
    digestOfAssignments([{ target: { ...target, ...some } }]),
  );
  expect(digestOfAssignments(null)).toBeNull();
});
