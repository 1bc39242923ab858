import type { BackupSet, Skipped } from "../domain/backups/backupSets.ts";
import type { FieldChange } from "../domain/backups/fieldDiff.ts";
import { type Badge, counted } from "../domain/operations/runWords.ts";
import { type PolicyType, policyTypes, typeLabels } from "../provider/policyTypes.ts";
import type { JsonValue } from "../provider/port.ts";

export const kindLabels = {
  backup: "Backup",
  snapshot: "Snapshot before a change",
} as const satisfies Record<BackupSet["kind"], string>;

const setBadges = {
  complete: { tone: "ok", icon: "succeeded", label: "Complete" },
  being_taken: { tone: "run", icon: "running", label: "Being taken" },
  incomplete: { tone: "part", icon: "partial", label: "Incomplete" },
} as const satisfies Record<BackupSet["state"], Badge>;

/** A complete set that leaves something out does not pass for one that holds all. */
export function badgeOfSet({ state, skipped }: Pick<BackupSet, "state" | "skipped">): Badge {
  if (state === "complete" && skipped.length > 0)
    return { tone: "part", icon: "partial", label: "Some left out" };
  return setBadges[state];
}

export function typesInWords(types: readonly PolicyType[]): string {
  if (types.length === policyTypes.length) return "All types";
  if (types.length > 2) return `${types.length} types`;
  return types.map((type) => typeLabels[type]).join(" and ");
}

export function skippedInWords({ type, why }: Skipped): { label: string; why: string } {
  return { label: type === "groups" ? "Names of groups" : typeLabels[type], why };
}

export type TypeOption = { value: string; label: string; isSelected: boolean };

export function typeOptions(selected: PolicyType | null): TypeOption[] {
  return policyTypes.map((type) => ({ value: type, label: typeLabels[type], isSelected: type === selected }));
}

/** JSON as people read it, cut where it gets longer than a page should be. */
export type ShownJson = { text: string; cut: string | null };

const longestText = 200_000;

export function showJson(value: unknown): ShownJson {
  const text = JSON.stringify(value, null, 2);
  if (text.length <= longestText) return { text, cut: null };
  const left = text.length - longestText;
  return {
    text: text.slice(0, longestText),
    cut: `It is longer than this page shows: ${counted(left, "character is", "characters are")} left out. The download holds all of it.`,
  };
}

/** A field that differs; null where it is not there on that side. */
export type ShownChange = { path: string; before: string | null; after: string | null };

export function showChanges(changes: readonly FieldChange[], longest = 300): ShownChange[] {
  return changes.map(({ path, before, after }) => ({
    path: path === "" ? "all of it" : path,
    before: showValue(before, longest),
    after: showValue(after, longest),
  }));
}

function showValue(value: JsonValue | undefined, longest: number): string | null {
  if (value === undefined) return null;
  const text = JSON.stringify(value);
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)} … (${counted(text.length, "character", "characters")})`;
}
