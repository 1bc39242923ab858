import { sourceNotCovered, sourceNotSeen } from "../authority/checks.ts";
import type { Checks } from "../authority/decide.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import { contractOf, isOperationName } from "./catalog.ts";
import type { ListedRun } from "./listedRun.ts";
import type { Outcome, RunStatus } from "./run.ts";

/** A state by word, shape and colour. */
export type Badge = { tone: Tone; icon: string; label: string };
export type Tone = "ok" | "part" | "block" | "fail" | "run" | "wait";

const outcomeBadges = {
  succeeded: { tone: "ok", icon: "succeeded", label: "Succeeded" },
  partially_succeeded: { tone: "part", icon: "partial", label: "Partially succeeded" },
  blocked: { tone: "block", icon: "blocked", label: "Blocked by policy" },
  failed: { tone: "fail", icon: "failed", label: "Failed" },
  cancelled: { tone: "wait", icon: "cancelled", label: "Cancelled" },
} as const satisfies Record<Exclude<Outcome, "pending">, Badge>;

const statusBadges = {
  queued: { tone: "wait", icon: "queued", label: "Queued" },
  running: { tone: "run", icon: "running", label: "Running" },
} as const satisfies Record<Exclude<RunStatus, "completed">, Badge>;

export function badgeOf(run: { status: RunStatus; outcome: Outcome }): Badge {
  if (run.outcome !== "pending") return outcomeBadges[run.outcome];
  return run.status === "running" ? statusBadges.running : statusBadges.queued;
}

/** Operations outlive releases: one the catalog no longer has goes by its name. */
export function titleOf(operation: string): string {
  return isOperationName(operation) ? contractOf(operation).title : operation;
}

/** What is named when a denial is put in words. `found` is the value of the check that failed. */
type Subject = { who: string; tenant: string; capability: string; found: string };

/** It may be one whose name the reader may not see. */
const sourceTenant = "the tenant that the backup is of";

/** Why, as a clause that may follow "Blocked by policy: ". */
const reasonWords = {
  workspace_mismatch: ({ found }) => found,
  initiator_missing: ({ who }) => `${who}'s account was deleted`,
  initiator_not_entitled: ({ who, found }) => `${who} no longer has access to the workspace: ${found}`,
  tenant_missing: ({ tenant }) => `${tenant} no longer exists`,
  tenant_not_entitled: ({ who, tenant, found }) =>
    `${who} no longer has access to ${found === sourceNotCovered ? sourceTenant : tenant}`,
  missing_capability: ({ who, capability, found }) =>
    `${who} no longer has ${found === sourceNotSeen ? `backup.view at ${sourceTenant}` : capability}`,
  system_authority_not_allowed: ({ found }) => found,
  tenant_not_operable: ({ tenant, found }) => `${tenant} is ${found}`,
  provider_connection_invalid: ({ tenant, found }) =>
    `the connection of ${tenant} cannot be used: ${causeIn(found)}`,
  write_gate_blocked: ({ tenant }) => `${tenant} is not open for changes`,
  execution_prerequisite_invalid: ({ found }) => found,
} as const satisfies Record<ReasonCode, (subject: Subject) => string>;

/** What a check found without the status it leads with, which the sentence has said already. */
function causeIn(found: string): string {
  return found.replace(/^invalid: /, "").replace(/\.$/, "");
}

type Denied = Pick<ListedRun, "operation" | "initiatorName" | "tenantName">;

export function reasonClause(run: Denied, reasonCode: ReasonCode, checks: Partial<Checks> | null): string {
  const words = reasonWords[reasonCode];
  return words({
    who: run.initiatorName ?? "The system",
    tenant: run.tenantName ?? "the tenant",
    capability: isOperationName(run.operation) ? contractOf(run.operation).capability : "the capability",
    found: foundBy(checks, reasonCode),
  });
}

function foundBy(checks: Partial<Checks> | null, reasonCode: ReasonCode): string {
  const failing = Object.values(checks ?? {}).find(
    (check) => check.result === "failed" && check.reason === reasonCode,
  );
  return failing?.value ?? "the reason was not kept";
}

const tallyWords: Record<string, string> = {
  backed_up: "backed up",
  to_create: "to create",
  to_update: "to update",
  created: "new",
  updated: "updated",
  changed: "changed",
  assigned: "assigned",
  deleted: "deleted",
  synced: "synced",
  synced_partly: "synced in part",
  unchanged: "unchanged",
  gone: "gone",
  verified: "verified",
  refuted: "refused",
  refused: "refused",
  blocked: "blocked",
  failed: "failed",
  cancelled: "cancelled",
  kept: "kept",
  left_out: "could not be included any more",
};

export function tallyOf(run: Pick<ListedRun, "tally">): { label: string; count: string }[] {
  const order = Object.keys(tallyWords);
  return Object.entries(run.tally)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([name, count]) => ({ label: tallyWords[name] ?? name, count: whole(count) }));
}

export function tallyWordsOf(run: Pick<ListedRun, "tally">): string {
  return tallyOf(run)
    .filter(({ count }) => count !== "0")
    .map(({ label, count }) => `${count} ${label}`)
    .join(" · ");
}

export function counted(count: number, one: string, many: string): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

function whole(count: number): string {
  return count.toLocaleString("en-GB");
}

/** "first in line", "3rd in line"; counted to 101. */
export function positionIn(before: number): string {
  if (before > 100) return "more than 100 stand before it in line";
  return before === 0 ? "first in line" : `${before + 1}${suffixes[ordinals.select(before + 1)]} in line`;
}

const ordinals = new Intl.PluralRules("en-GB", { type: "ordinal" });
const suffixes: Record<Intl.LDMLPluralRule, string> = {
  zero: "th",
  one: "st",
  two: "nd",
  few: "rd",
  many: "th",
  other: "th",
};

/** Kept messages end with a full stop or not; on a page they do. */
export function sentence(text: string): string {
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}

export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
