import { describe, expect, test } from "@jest/globals";
import { type ChildTally, endingOfChildren } from "../../../server/domain/operations/endingOfChildren.ts";

const cases: [string, ChildTally, string[], object][] = [
  ["all synced", { synced: 3 }, [], { outcome: "succeeded" }],
  [
    "one in part",
    { synced: 2, synced_partly: 1 },
    [],
    { outcome: "partially_succeeded", message: "2 of 3 tenants were synced; 1 was synced in part." },
  ],
  [
    "some blocked, some failed",
    { synced: 1, blocked: 2, failed: 1 },
    ["tenant_not_operable"],
    {
      outcome: "partially_succeeded",
      message: "1 of 4 tenants were synced; 2 were blocked by policy; 1 failed.",
    },
  ],
  [
    "some left out",
    { synced: 1, left_out: 3 },
    [],
    {
      outcome: "partially_succeeded",
      message: "1 of 4 tenants were synced; 3 tenants could not be included any more.",
    },
  ],
  [
    "none, one failed",
    { failed: 1, blocked: 1 },
    ["tenant_not_operable"],
    { outcome: "failed", code: "nothing_done" },
  ],
  ["none could be asked for", { left_out: 2 }, [], { outcome: "failed", code: "nothing_done" }],
  [
    "all blocked: never failed, and for the first reason in precedence",
    { blocked: 2 },
    ["write_gate_blocked", "initiator_not_entitled"],
    { outcome: "blocked", reasonCode: "initiator_not_entitled", denialClass: "initiator_invalid" },
  ],
  [
    "blocked or cancelled",
    { blocked: 1, cancelled: 1 },
    ["tenant_not_operable"],
    { outcome: "blocked", reasonCode: "tenant_not_operable" },
  ],
  ["all cancelled one by one", { cancelled: 2 }, [], { outcome: "cancelled", by: null }],
];

describe("a run whose children have all ended", () => {
  test.each(cases)("%s", (_title, tally, reasons, ending) => {
    expect(endingOfChildren(tally, reasons)).toMatchObject(ending);
  });
});
