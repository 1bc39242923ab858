import { contractOf } from "../domain/operations/catalog.ts";
import { reasonLabels } from "../domain/operations/reasonLabels.ts";
import { showDay } from "../http/showTime.ts";
import { type ListQuery, listAddress, type triggers } from "./operationQuery.ts";

export type Chip = { label: string; href: string; isCurrent: boolean };

const anyState = { status: null, outcome: null, attention: null, since: null } as const;

export function chipsFor(query: ListQuery, open: { running: string; queued: string }): Chip[] {
  const chip = (label: string, state: Partial<ListQuery>) => ({
    label,
    href: listAddress(query, { ...anyState, ...state }),
    isCurrent: isSameState(query, { ...anyState, ...state }),
  });
  return [
    chip("All", {}),
    chip(`Running ${open.running}`, { status: "running" }),
    chip(`Queued ${open.queued}`, { status: "queued" }),
    chip("Blocked by policy", { outcome: "blocked" }),
    chip("Failed", { outcome: "failed" }),
    chip("Partially succeeded", { outcome: "partially_succeeded" }),
    chip("Succeeded", { outcome: "succeeded" }),
    chip("Cancelled", { outcome: "cancelled" }),
  ];
}

export function isSameState(query: ListQuery, state: Partial<ListQuery>): boolean {
  const asked = { ...anyState, ...state };
  return (
    query.status === asked.status &&
    query.outcome === asked.outcome &&
    query.attention === asked.attention &&
    query.since === asked.since
  );
}

const stateWords = {
  queued: "Queued",
  running: "Running",
  completed: "Completed",
  succeeded: "Succeeded",
  partially_succeeded: "Partially succeeded",
  blocked: "Blocked by policy",
  failed: "Failed",
  cancelled: "Cancelled",
} as const;

const attentionWords = {
  blocked: "Blocked by policy, not dealt with",
  at_risk: "At risk",
  stuck: "Likely stuck",
} as const;

export const triggerWords = {
  page: "From a page",
  command: "From the command line",
  schedule: "By a schedule",
  retention: "By retention",
  bulk: "By a bulk run",
} as const satisfies Record<(typeof triggers)[number], string>;

/** The names behind the ids of a query; undefined for what is not here. */
export type FilterNames = { tenant: string | undefined; initiator: string | undefined };

/** The active filters in words, for an empty list to name. */
export function namesOfFilters(query: ListQuery, names: FilterNames): string[] {
  const { status, outcome, attention, since, reason, operation, trigger, text } = query;
  return [
    ...(status === null ? [] : [stateWords[status]]),
    ...(outcome === null ? [] : [stateWords[outcome]]),
    ...(attention === null ? [] : [attentionWords[attention]]),
    ...(since === null ? [] : ["in the last 7 days"]),
    ...(reason === null ? [] : [reasonLabels[reason]]),
    ...(operation === null ? [] : [contractOf(operation).title]),
    ...(query.tenant === null ? [] : [names.tenant ?? "a tenant that is not here"]),
    ...initiatorName(query, names),
    ...(trigger === null ? [] : [triggerWords[trigger]]),
    ...dateWords(query),
    ...(text === null ? [] : [`“${text}”`]),
  ];
}

function initiatorName({ initiator }: ListQuery, names: FilterNames): string[] {
  if (initiator === null) return [];
  return [initiator === "system" ? "of the system" : `of ${names.initiator ?? "somebody who is not here"}`];
}

function dateWords({ from, to }: ListQuery): string[] {
  if (from !== null && from === to) return [`requested on ${showDay(from)}`];
  return [
    ...(from === null ? [] : [`from ${showDay(from)}`]),
    ...(to === null ? [] : [`until ${showDay(to)}`]),
  ];
}
