import { randomUUID } from "node:crypto";
import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import type { BackupSet } from "../domain/backups/backupSets.ts";
import { defaultOptions, type RestoreOptions } from "../domain/restores/options.ts";
import { listTenantChoices } from "../domain/tenants/listTenantChoices.ts";
import { type ShownSet, showSet } from "./comparisonPage.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import { type Choice, type ShownChoice, showChoice } from "./restoreChoice.ts";
import type { Problems } from "./tried.ts";

/** A form as it was sent. */
export type SentRestore = {
  tenantId: string;
  options: RestoreOptions;
  hours: number;
  requestKey: string;
  problems: Problems;
};

export type NewRestorePage = {
  set: ShownSet;
  address: string;
  choice: ShownChoice;
  tenants: { value: string; label: string; isSelected: boolean }[];
  questions: Question[];
  expiries: ExpiryOption[];
  requestKey: string;
  problems: Problems;
  /** Why nothing can be previewed; null when it can. */
  why: string | null;
};

/** One of the options, as a question with its answers. */
type Question = {
  name: keyof RestoreOptions;
  title: string;
  answers: { value: string; label: string; meaning: string; isChosen: boolean }[];
};

export async function readNewRestorePage(
  reader: Reader,
  viewer: Viewer,
  { set, choice }: { set: BackupSet; choice: Choice },
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentRestore,
): Promise<NewRestorePage> {
  const tenants = await listTenantChoices(reader, viewer, "restore.preview");
  const selected = sent?.tenantId ?? set.tenantId;
  const shown = showSet(set);
  return {
    set: shown,
    address: `${shown.address}/restores`,
    choice: await showChoice(reader, set.id, choice, sent !== undefined),
    tenants: tenants.map(({ id, name, lifecycle }) => ({
      value: id,
      label: `${name}${id === set.tenantId ? " (where it was taken)" : ""}${lifecycle === "active" ? "" : `, ${lifecycle}`}`,
      isSelected: id === selected,
    })),
    questions: questionsWith(sent?.options ?? defaultOptions),
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS, sent?.hours),
    requestKey: sent?.requestKey ?? randomUUID(),
    problems: sent?.problems ?? {},
    why: whyNot(set, tenants.length),
  };
}

function whyNot(set: BackupSet, tenants: number): string | null {
  if (set.state === "being_taken")
    return "The backup is being taken. It can be restored once it is complete.";
  if (set.state === "incomplete") return "The backup is not complete, so it cannot be restored.";
  return tenants > 0 ? null : `You need restore.preview to ${capabilities["restore.preview"]}.`;
}

function questionsWith(chosen: RestoreOptions): Question[] {
  return questions.map(({ name, title, answers }) => ({
    name,
    title,
    answers: answers.map((answer) => ({ ...answer, isChosen: answer.value === chosen[name] })),
  }));
}

const questions = [
  {
    name: "assignments",
    title: "Whom policies are assigned to",
    answers: [
      {
        value: "union",
        label: "Add to those there",
        meaning: "Who has a policy now keeps it; who is in the backup gets it, too.",
      },
      {
        value: "exact",
        label: "Exactly as in the backup",
        meaning: "Who is not in the backup loses the policy.",
      },
    ],
  },
  {
    name: "conditionalAccessState",
    title: "Conditional Access policies that are created",
    answers: [
      {
        value: "report_only",
        label: "Start as report-only",
        meaning: "They log what they would do and enforce nothing until somebody turns them on.",
      },
      {
        value: "as_backed_up",
        label: "Start as in the backup",
        meaning: "Those that were on are enforced at once, and could lock people out.",
      },
    ],
  },
  {
    name: "updatedConditionalAccessState",
    title: "Conditional Access policies that are there",
    answers: [
      { value: "keep", label: "Keep on or off as they are", meaning: "Only what they say is restored." },
      {
        value: "as_backed_up",
        label: "As in the backup",
        meaning: "One that is off now is turned on if it was on in the backup, and the other way round.",
      },
    ],
  },
] as const;
