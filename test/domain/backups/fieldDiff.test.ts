import { expect, test } from "@jest/globals";
import { comparable, digestOfAssignments } from "../../../server/domain/backups/assignment.ts";
import { fieldDiff } from "../../../server/domain/backups/fieldDiff.ts";

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
