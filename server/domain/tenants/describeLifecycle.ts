import type { Lifecycle } from "../authority/contract.ts";
import { whyNotTo } from "./changeLifecycle.ts";
import type { Tenant } from "./findTenantFor.ts";
import { stepBetween } from "./lifecycleSteps.ts";

type StepWords = {
  /** On the button that leads to the confirm page, and on the one that does it. */
  label: string;
  /** "Suspend Litware?" */
  question: (name: string) => string;
  /** Begins "… will block 3 queued runs". */
  doing: (name: string) => string;
  /** What it means, a sentence each. */
  meaning: readonly string[];
  done: (name: string) => string;
};

export const stepWords = {
  onboarding: {
    label: "Bring back",
    question: (name) => `Bring ${name} back?`,
    doing: (name) => `Bringing ${name} back`,
    meaning: ["It starts over with new credentials."],
    done: (name) => `${name} is being set up again.`,
  },
  active: {
    label: "Make active",
    question: (name) => `Make ${name} active?`,
    doing: (name) => `Making ${name} active`,
    meaning: [
      "Everything its connection and people's rights permit may run.",
      "What was blocked before stays blocked: start it again if it is still wanted.",
    ],
    done: (name) => `${name} is active now.`,
  },
  suspended: {
    label: "Suspend",
    question: (name) => `Suspend ${name}?`,
    doing: (name) => `Suspending ${name}`,
    meaning: [
      "Only its connection can be verified; everything else is blocked.",
      "Its schedules pause until it is active again.",
      "It can be made active again.",
    ],
    done: (name) => `${name} is suspended now.`,
  },
  offboarding: {
    label: "Start offboarding",
    question: (name) => `Start offboarding ${name}?`,
    doing: (name) => `Offboarding ${name}`,
    meaning: [
      "It can still be verified and backed up; everything else is blocked.",
      "Its schedules pause until it is active again.",
      "It can be made active again, until it is archived.",
    ],
    done: (name) => `${name} is being offboarded now.`,
  },
  archived: {
    label: "Archive",
    question: (name) => `Archive ${name}?`,
    doing: (name) => `Archiving ${name}`,
    meaning: [
      "Nothing runs there any more: its schedules are removed, and a hold ends.",
      "Its credentials are erased for good: it can only come back with new ones.",
      "Its inventory and its past runs stay readable.",
    ],
    done: (name) => `${name} is archived now, and its credentials are erased.`,
  },
} as const satisfies Record<Lifecycle, StepWords>;

/** A step from here: possible, or why not. */
export type PossibleStep = {
  to: Lifecycle;
  label: string;
  problem: string | null;
  isDangerous: boolean;
  /** It is taken by entering new credentials. */
  byCredential: boolean;
};

const inOrder = ["onboarding", "active", "suspended", "offboarding", "archived"] as const;

export function possibleSteps(tenant: Tenant): PossibleStep[] {
  return inOrder.flatMap((to) => {
    const step = stepBetween(tenant.lifecycle, to);
    if (step === undefined) return [];
    const isDangerous = step.needs === "typed_name";
    const byCredential = step.needs === "new_credentials";
    return [{ to, label: stepWords[to].label, problem: whyNotTo(tenant, to), isDangerous, byCredential }];
  });
}
