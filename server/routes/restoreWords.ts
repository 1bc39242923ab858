import type { Badge } from "../domain/operations/runWords.ts";
import type { RestoreOptions } from "../domain/restores/options.ts";
import type { ItemResult, PlanAction } from "../domain/restores/planItems.ts";

export const actionBadges = {
  create: { tone: "run", icon: "archive", label: "Create" },
  update: { tone: "part", icon: "partial", label: "Update" },
  unchanged: { tone: "wait", icon: "skipped", label: "Unchanged" },
  refused: { tone: "block", icon: "blocked", label: "Refused" },
} as const satisfies Record<PlanAction, Badge>;

export const resultBadges = {
  created: { tone: "ok", icon: "succeeded", label: "Created" },
  updated: { tone: "ok", icon: "succeeded", label: "Updated" },
  unchanged: { tone: "wait", icon: "skipped", label: "Unchanged" },
  refused: { tone: "block", icon: "blocked", label: "Refused" },
  failed: { tone: "fail", icon: "failed", label: "Failed" },
  unknown: { tone: "part", icon: "warning", label: "Not known" },
  not_started: { tone: "wait", icon: "queued", label: "Not started" },
} as const satisfies Record<ItemResult, Badge>;

const optionWords = {
  assignments: {
    union: "Assignments are added to those there.",
    exact: "Assignments become exactly those of the backup: who is not in it loses the policy.",
  },
  conditionalAccessState: {
    report_only: "Conditional Access policies that are created start as report-only.",
    as_backed_up:
      "Conditional Access policies that are created start as in the backup: those on are enforced at once.",
  },
  updatedConditionalAccessState: {
    keep: "Conditional Access policies that are there stay on or off as they are.",
    as_backed_up: "Conditional Access policies that are there are turned on or off as in the backup.",
  },
} as const satisfies { [N in keyof RestoreOptions]: Record<RestoreOptions[N], string> };

/** What was chosen, a sentence each. */
export function optionsInWords(options: RestoreOptions): string[] {
  return [
    optionWords.assignments[options.assignments],
    optionWords.conditionalAccessState[options.conditionalAccessState],
    optionWords.updatedConditionalAccessState[options.updatedConditionalAccessState],
  ];
}
