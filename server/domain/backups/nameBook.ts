import type { ProviderReader } from "../../provider/port.ts";
import type { References, ReferredNames } from "./references.ts";
import { unlessLacking } from "./unlessLacking.ts";

/** The names behind ids at one directory, looked up as they are met. */
export type NameBook = {
  readonly names: ReferredNames;
  /** Why names of groups could not be looked up; null while they could. */
  readonly groupsProblem: string | null;
  /** Looks up what is not known yet. Rejects with `ProviderError`, but not for a permission that is lacking. */
  learn(references: References): Promise<void>;
};

const groupsPerQuestion = 200;

export function makeNameBook(provider: ProviderReader, signal: AbortSignal): NameBook {
  const names: ReferredNames = { groups: {}, filters: {}, scopeTags: {} };
  const asked = new Set<string>();
  const listed = new Set<string>();
  let groupsProblem: string | null = null;

  async function learnGroups(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !asked.has(id));
    for (let from = 0; from < unknown.length && groupsProblem === null; from += groupsPerQuestion) {
      const part = unknown.slice(from, from + groupsPerQuestion);
      const found = await unlessLacking(() => provider.findGroupsById(part, signal));
      if (typeof found === "string") groupsProblem = found;
      else for (const { id, name } of found) names.groups[id] = name;
      for (const id of part) asked.add(id);
    }
  }

  async function learnAll(type: "assignmentFilters" | "roleScopeTags", known: Record<string, string>) {
    if (listed.has(type)) return;
    listed.add(type);
    await unlessLacking(async () => {
      for await (const { policies } of provider.listPolicies(type, signal))
        for (const { id, name } of policies) known[id] = name;
      return [];
    });
  }

  return {
    names,
    get groupsProblem() {
      return groupsProblem;
    },
    async learn({ groups, filters, scopeTags }) {
      await learnGroups(groups);
      if (filters.length > 0) await learnAll("assignmentFilters", names.filters);
      if (scopeTags.length > 0) await learnAll("roleScopeTags", names.scopeTags);
    },
  };
}
