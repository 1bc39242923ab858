import { contractOf, operationNames } from "../domain/operations/catalog.ts";
import type { Initiator } from "../domain/operations/listInitiators.ts";
import { reasonLabels } from "../domain/operations/reasonLabels.ts";
import { triggerWords } from "./operationFilters.ts";
import type { ListQuery } from "./operationQuery.ts";

type Option = { value: string; label: string; isSelected: boolean };

/** A choice among few; `anyLabel` is its first option. */
export type Choice = { name: string; label: string; anyLabel: string; options: Option[] };

/** The form that narrows the list. `more` are the fields that are folded away until one of them is used. */
export type Narrow = {
  text: string | null;
  choices: Choice[];
  more: { choices: Choice[]; from: string; to: string; isOpen: boolean } | null;
  /** What the form keeps of the address. */
  kept: { name: string; value: string }[];
};

type Named = { id: string; name: string };

export function narrowBy(query: ListQuery, tenants: Named[], initiators: Initiator[]): Narrow {
  const { status, outcome, attention, since } = query;
  const reason = choice("reason", "Reason", "Any reason", Object.entries(reasonLabels), query.reason);
  const places = [
    choice(
      "operation",
      "Operation",
      "Any operation",
      operationNames.map((name) => [name, contractOf(name).title]),
      query.operation,
    ),
    choice("tenant", "Tenant", "Any tenant", pairs(tenants), query.tenant),
  ];
  const isOfRuns = attention !== "blocked";
  return {
    text: isOfRuns ? (query.text ?? "") : null,
    choices: isOfRuns ? places : [...places, reason],
    more: isOfRuns ? moreOf(query, reason, initiators) : null,
    kept: Object.entries({ status, outcome, attention, since }).flatMap(([name, value]) =>
      value === null ? [] : [{ name, value }],
    ),
  };
}

function moreOf(query: ListQuery, reason: Choice, initiators: Initiator[]): Narrow["more"] {
  const { initiator, trigger, from, to } = query;
  const people = [["system", "The system"], ...pairs(initiators)];
  return {
    choices: [
      reason,
      choice("initiator", "Initiator", "Anybody", people, initiator),
      choice("trigger", "Trigger", "However started", Object.entries(triggerWords), trigger),
    ],
    from: from ?? "",
    to: to ?? "",
    isOpen: [query.reason, initiator, trigger, from, to].some((value) => value !== null),
  };
}

function pairs(named: readonly Named[]): string[][] {
  return named.map(({ id, name }) => [id, name]);
}

function choice(
  name: string,
  label: string,
  anyLabel: string,
  options: readonly (readonly string[])[],
  selected: string | null,
): Choice {
  return {
    name,
    label,
    anyLabel,
    options: options.map(([value = "", words = ""]) => ({
      value,
      label: words,
      isSelected: value === selected,
    })),
  };
}
