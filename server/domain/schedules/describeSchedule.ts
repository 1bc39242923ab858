import { schedulesAt } from "../authority/contract.ts";
import type { Decision } from "../authority/decide.ts";
import { typesInWords } from "../operations/describeTarget.ts";
import { type Badge, badgeOf, counted, reasonClause, titleOf } from "../operations/runWords.ts";
import type { LastRun, ListedSchedule, Need } from "./listedSchedule.ts";
import { hasTypes, typesIn } from "./target.ts";
import { mostAtOnce, type TenantsInReach } from "./tenantsInReach.ts";

/** "Back up policies at Contoso Retail". */
export function scheduleName({ operation, tenantName }: Pick<ListedSchedule, "operation" | "tenantName">) {
  return tenantName === null ? titleOf(operation) : `${titleOf(operation)} at ${tenantName}`;
}

/** Whether it runs, by itself and by its tenant's lifecycle. */
export function scheduleBadge({ status, lifecycle }: Pick<ListedSchedule, "status" | "lifecycle">): Badge {
  if (status === "paused") return { tone: "wait", icon: "pause", label: "Paused" };
  if (lifecycle !== null && schedulesAt[lifecycle] !== "run")
    return { tone: "part", icon: "pause", label: `Paused: tenant ${lifecycle}` };
  return { tone: "ok", icon: "succeeded", label: "Active" };
}

/** Whether there is a next time worth naming. */
export function isRunning(schedule: Pick<ListedSchedule, "status" | "lifecycle">): boolean {
  return scheduleBadge(schedule).label === "Active";
}

const needWords = {
  steward: ({ stewardName }) =>
    `It needs a new steward: ${stewardName} has left or may no longer do this. It runs on meanwhile.`,
  blocked: () => "Its last run was blocked by policy.",
  failed: () => "Its last run failed.",
  tenant: ({ tenantName, lifecycle }) =>
    `It is paused because ${tenantName} is ${lifecycle}, and goes on when the tenant is active again.`,
  nowhere: () =>
    "When its time last came there was no tenant to sync, so nothing was asked for: none is active and has a verified connection.",
  never: () => "It has no next time: edit when it runs.",
} as const satisfies Record<Need, (schedule: ListedSchedule) => string>;

/** What needs a person about it, a sentence each. */
export function needsInWords(schedule: ListedSchedule): string[] {
  return schedule.needs.map((need) => needWords[need](schedule));
}

/** How its last run ended, or that it has not; null while there was none that the viewer may see. */
export function lastBadge(last: LastRun | null): Badge | null {
  return last === null ? null : badgeOf(last);
}

/** What each run works on, in words; null for an operation that has no choice. */
export function targetWords({ operation, target }: { operation: string; target: unknown }): string | null {
  if (!hasTypes(operation)) return null;
  return typesInWords(typesIn(target));
}

/** "At 12 tenants if its time came now; 2 tenants would be left out: …" */
export function reachWords({ tenantIds, leftOut }: TenantsInReach): string {
  const now = `At ${counted(tenantIds.length, "tenant", "tenants")} if its time came now`;
  if (leftOut === 0) return `${now}.`;
  const others = `${counted(leftOut, "tenant", "tenants")} would be left out`;
  return tenantIds.length < mostAtOnce
    ? `${now}; ${others}: not active, or without a verified connection.`
    : `${now}, no more at a time; ${others}. What was not synced for longest comes first.`;
}

/** "Would it be allowed now?", answered by the gate's own rules. */
export type Prospect = { badge: Badge; words: string };

/** Of one for all tenants, while there is none in reach. */
export const foundNone: Prospect = {
  badge: { tone: "wait", icon: "queued", label: "Nothing to do" },
  words: "Nothing would be asked for now: no tenant is active and has a verified connection.",
};

export function describeProspect(
  schedule: Pick<ListedSchedule, "operation" | "tenantName" | "status">,
  decision: Decision | null,
): Prospect {
  const blocked = { tone: "block", icon: "blocked", label: "Would be blocked" } as const;
  if (decision === null) return { badge: blocked, words: "This release does not have its operation." };
  const moment = schedule.status === "paused" ? "If it were resumed, a run now" : "A run now";
  switch (decision.verdict) {
    case "allowed":
      return {
        badge: { tone: "ok", icon: "succeeded", label: "Would be allowed" },
        words: `${moment} would be allowed.`,
      };
    case "deferred":
      return {
        badge: { tone: "wait", icon: "queued", label: "Would wait" },
        words:
          decision.deferral.kind === "hold"
            ? `${moment} would wait: on hold by ${decision.deferral.by}, “${decision.deferral.reason}”.`
            : `${moment} would wait for its turn at the tenant.`,
      };
    case "denied": {
      const { operation, tenantName } = schedule;
      const subject = { operation, tenantName, initiatorName: null };
      const why = reasonClause(subject, decision.reasonCode, decision.checks).replace(/\.$/, "");
      return { badge: blocked, words: `${moment} would be blocked: ${why}.` };
    }
  }
}
