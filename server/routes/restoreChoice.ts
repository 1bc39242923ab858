import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { countBackupItems } from "../domain/backups/backupItems.ts";
import { countMatchingItems, listChosenItems, listMatchingIds } from "../domain/backups/chosenItems.ts";
import { counted } from "../domain/operations/runWords.ts";
import { mostItems } from "../domain/restores/sourceItems.ts";
import { Id } from "../http/ids.ts";
import { type PolicyType, policyTypes, typeLabels } from "../provider/policyTypes.ts";
import { SearchText } from "./searchText.ts";
import { Several } from "./several.ts";

const Fields = z.object({
  item: Several.pipe(z.array(Id)),
  type: z.enum(policyTypes).nullable().catch(null),
  text: SearchText,
  types: Several,
});

/** What of a backup is to be restored: some items, all that a list shows, or all of some types. */
export type Choice =
  | { kind: "items"; ids: string[] }
  | { kind: "matching"; type: PolicyType | null; text: string | null }
  | { kind: "types"; types: string[] };

/** From an address or a form: items named one by one count first, then the filters of a list. */
export function parseChoice(fields: unknown): Choice {
  const { item, type, text, types } = Fields.parse(fields ?? {});
  if (item.length > 0) return { kind: "items", ids: item };
  return type === null && text === null ? { kind: "types", types } : { kind: "matching", type, text };
}

/** The choice in the terms of a request. */
export async function resolveChoice(
  reader: Reader,
  setId: string,
  choice: Choice,
): Promise<{ types: readonly string[]; itemIds: string[] | null }> {
  switch (choice.kind) {
    case "types":
      return { types: choice.types, itemIds: null };
    case "items":
      return { types: policyTypes, itemIds: choice.ids };
    case "matching": {
      const types = choice.type === null ? policyTypes : [choice.type];
      if (choice.text === null) return { types, itemIds: null };
      // One more than may be asked for, so that too many are not cut but refused.
      return { types, itemIds: await listMatchingIds(reader, setId, choice, mostItems + 1) };
    }
  }
}

/** The choice as a form shows it. `fields` say it again when the form is sent. */
export type ShownChoice =
  | { kind: "types"; types: { value: string; label: string; items: number; isChosen: boolean }[] }
  | {
      kind: "fixed";
      words: string;
      names: string[];
      more: number;
      fields: { name: string; value: string }[];
    };

const namesShown = 20;

/** `isSent`: the form comes back, so that what is not chosen was left out. */
export async function showChoice(
  reader: Reader,
  setId: string,
  choice: Choice,
  isSent: boolean,
): Promise<ShownChoice> {
  switch (choice.kind) {
    case "types": {
      const counts = await countBackupItems(reader, setId);
      const byType = new Map(counts.map(({ type, items }) => [type, items]));
      return {
        kind: "types",
        types: policyTypes.flatMap((type) => {
          const items = byType.get(type);
          const isChosen = !isSent || choice.types.includes(type);
          return items === undefined ? [] : [{ value: type, label: typeLabels[type], items, isChosen }];
        }),
      };
    }
    case "items": {
      const found = await listChosenItems(reader, setId, choice.ids);
      return {
        kind: "fixed",
        words: counted(found.length, "chosen policy", "chosen policies"),
        names: found.slice(0, namesShown).map(({ name }) => name),
        more: Math.max(0, found.length - namesShown),
        fields: found.map(({ id }) => ({ name: "item", value: id })),
      };
    }
    case "matching":
      return showMatching(choice, await countMatchingItems(reader, setId, choice));
  }
}

function showMatching({ type, text }: Extract<Choice, { kind: "matching" }>, count: number): ShownChoice {
  const named = text === null ? "" : ` with “${text}” in the name`;
  const of = type === null ? "" : ` of the type “${typeLabels[type]}”`;
  return {
    kind: "fixed",
    words: `${counted(count, "policy", "policies")}${named}${of}`,
    names: [],
    more: 0,
    fields: Object.entries({ type, text }).flatMap(([name, value]) =>
      value === null ? [] : [{ name, value }],
    ),
  };
}
