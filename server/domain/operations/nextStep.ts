import type { ReasonCode } from "../authority/reasons.ts";
import { may, type Viewer } from "../authority/viewer.ts";
import type { FailureCode } from "./ending.ts";
import type { ShownRun } from "./findRunFor.ts";
import type { ListedRun } from "./listedRun.ts";
import type { Outcome } from "./run.ts";

/** What to do about it, with links the viewer can follow. */
export type NextStep = {
  words: string;
  links: { label: string; to: "tenant" | "member" }[];
  /** Name those who can grant the right. */
  namesGranters: boolean;
};

/** `isOver`: asking again would lead nowhere. */
type Advice = { words: string; links: readonly LinkName[]; namesGranters?: true; isOver?: true };
type LinkName = "tenant" | "member";

const denialAdvice = {
  workspace_mismatch: {
    words: "Start it again where the tenant belongs now.",
    links: [],
    isOver: true,
  },
  initiator_missing: { words: "Somebody who may can start it again as themselves.", links: [] },
  initiator_not_entitled: {
    words: "Restore their access, or start it again as yourself.",
    links: ["member"],
    namesGranters: true,
  },
  tenant_missing: {
    words: "There is nothing left to do: the tenant is gone.",
    links: [],
    isOver: true,
  },
  tenant_not_entitled: {
    words: "Give them a role at this tenant, or start it again as yourself.",
    links: ["member"],
    namesGranters: true,
  },
  missing_capability: {
    words: "Have the capability granted, or start it again as somebody who holds it.",
    links: ["member"],
    namesGranters: true,
  },
  system_authority_not_allowed: {
    words: "Resume its schedule if that is wanted, or have a person start it.",
    links: [],
  },
  tenant_not_operable: { words: "Make the tenant active, then start it again.", links: ["tenant"] },
  provider_connection_invalid: {
    words: "Correct the application’s secret or permissions, verify the connection, then start it again.",
    links: ["tenant"],
  },
  write_gate_blocked: { words: "Verify the connection, then start it again.", links: ["tenant"] },
  execution_prerequisite_invalid: { words: "Start it again if it is still wanted.", links: [] },
} as const satisfies Record<ReasonCode, Advice>;

const findCause = {
  words:
    "Start it again; if it fails again, an operator of the installation finds the cause in the worker’s log.",
  links: ["tenant"],
} as const satisfies Advice;

const failureAdvice = {
  verification_failed: {
    words: "Correct the application’s secret or permissions, then verify the connection again.",
    links: ["tenant"],
  },
  provider_unavailable: {
    words: "Start it again; if it fails again, check Microsoft’s service health.",
    links: ["tenant"],
  },
  provider_refused: { words: "Check the connection’s permissions, then start it again.", links: ["tenant"] },
  internal_error: findCause,
  worker_lost: findCause,
  authority_undecided: findCause,
  nothing_done: {
    words: "See below what each part of it ended of, put that right, then start it again.",
    links: [],
  },
} as const satisfies Record<FailureCode, Advice>;

const outcomeAdvice = {
  partially_succeeded: {
    words: "See above what was left out, put it right, then start it again.",
    links: ["tenant"],
  },
  cancelled: { words: "Start it again if it is still wanted.", links: ["tenant"] },
} as const satisfies Partial<Record<Outcome, Advice>>;

type Ended = Pick<ListedRun, "outcome" | "reasonCode" | "failureCode">;

/** Nothing for a run that is open or did all it was asked for. */
function adviceOn({ outcome, reasonCode, failureCode }: Ended): Advice | null {
  switch (outcome) {
    case "blocked":
      return reasonCode === null ? null : denialAdvice[reasonCode];
    case "failed":
      return failureCode === null ? null : failureAdvice[failureCode];
    case "partially_succeeded":
    case "cancelled":
      return outcomeAdvice[outcome];
    case "pending":
    case "succeeded":
      return null;
  }
}

export function nextStepFor(run: ShownRun, viewer: Viewer): NextStep | null {
  const advice = adviceOn(run);
  if (advice === null) return null;
  const { words, links, namesGranters } = advice;
  return {
    words,
    namesGranters: namesGranters === true,
    links: links.flatMap((name) => linkFor(name, run, viewer)),
  };
}

/** Whether the next step may be to ask for the run again; true for what ended well, too. */
export function offersRerun(run: Ended): boolean {
  return adviceOn(run)?.isOver !== true;
}

/** The next step in words, for those who read about a run elsewhere. */
export function adviceFor(run: Ended): string | null {
  return adviceOn(run)?.words ?? null;
}

function linkFor(name: LinkName, run: ShownRun, viewer: Viewer): NextStep["links"] {
  switch (name) {
    case "tenant":
      return mayOpenTenant(run, viewer) ? [{ label: "Open the tenant", to: "tenant" }] : [];
    case "member": {
      const label = `Open ${run.initiatorName ?? "the member"}’s roles`;
      return mayOpenMember(run, viewer) ? [{ label, to: "member" }] : [];
    }
  }
}

export function mayOpenTenant(run: Pick<ShownRun, "tenantId" | "tenantExists">, viewer: Viewer): boolean {
  return run.tenantId !== null && run.tenantExists && may(viewer, "tenant.view", run.tenantId);
}

/** Member pages are of the selected workspace only. */
function mayOpenMember(run: ShownRun, viewer: Viewer): boolean {
  return (
    run.initiatorId !== null &&
    run.workspaceId === viewer.selectedWorkspaceId &&
    may(viewer, "member.view", null)
  );
}
