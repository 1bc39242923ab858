import { z } from "zod";

/** What a restore does where there is more than one good answer. */
export const restoreOptions = z.object({
  /** In which state a Conditional Access policy starts that is created. */
  conditionalAccessState: z.enum(["report_only", "as_backed_up"]),
  /** In which state one is left that is there already. */
  updatedConditionalAccessState: z.enum(["keep", "as_backed_up"]),
  /** `union` adds to whom a policy is assigned now; `exact` puts what the backup says in its place. */
  assignments: z.enum(["union", "exact"]),
});

export type RestoreOptions = z.infer<typeof restoreOptions>;

/** Nothing starts to be enforced, or stops, and nobody loses a policy, without somebody having chosen so. */
export const defaultOptions: RestoreOptions = {
  conditionalAccessState: "report_only",
  updatedConditionalAccessState: "keep",
  assignments: "union",
};

/** Back to exactly what was there: for the restore of a snapshot that another restore took. */
export const undoOptions: RestoreOptions = {
  conditionalAccessState: "as_backed_up",
  updatedConditionalAccessState: "as_backed_up",
  assignments: "exact",
};
