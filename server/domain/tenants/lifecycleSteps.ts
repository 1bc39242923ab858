import type { Lifecycle } from "../authority/contract.ts";

/** What a step from one lifecycle state to another needs besides the right to take it. */
export type Step =
  | { needs: "nothing" | "connection_verified" }
  /** Nobody gets around typing the tenant's name: credentials are erased for good. */
  | { needs: "typed_name" }
  /** Taken by giving the tenant new credentials (`replaceCredential`), and no other way. */
  | { needs: "new_credentials" };

/** Handbook 1, "Tenant lifecycle". A step that is not here does not exist. */
const lifecycleSteps = {
  onboarding: { active: { needs: "connection_verified" } },
  active: { suspended: { needs: "nothing" }, offboarding: { needs: "nothing" } },
  suspended: { active: { needs: "nothing" }, offboarding: { needs: "nothing" } },
  offboarding: {
    active: { needs: "nothing" },
    suspended: { needs: "nothing" },
    archived: { needs: "typed_name" },
  },
  archived: { onboarding: { needs: "new_credentials" } },
} as const satisfies Record<Lifecycle, Partial<Record<Lifecycle, Step>>>;

export function stepBetween(from: Lifecycle, to: Lifecycle): Step | undefined {
  const steps: Partial<Record<Lifecycle, Step>> = lifecycleSteps[from];
  return steps[to];
}
