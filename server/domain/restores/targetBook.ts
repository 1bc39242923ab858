import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ProviderReader } from "../../provider/port.ts";
import type { References, ReferredNames } from "../backups/references.ts";
import { makeGroupLookup, makeShelf, type Target } from "./lookups.ts";
import type { Resolver } from "./resolver.ts";

/** What is known of the target, looked up before items are planned, so that planning asks nobody. */
export type TargetBook = {
  resolve: Resolver;
  /** Looks up what items name. Rejects with `ProviderError`, but not for a permission that is lacking. */
  learn(references: References, names: ReferredNames): Promise<void>;
  /** The plan creates such an object: later items may refer to it before it has an id. */
  willCreate(object: { type: PolicyType; name: string; matchKey: string }): void;
};

export function makeTargetBook(provider: ProviderReader, target: Target, signal: AbortSignal): TargetBook {
  const filtersToCreate = new Map<string, string>();
  const tagsToCreate = new Map<string, string>();
  const ofFilters = { type: "assignmentFilters", called: "filter", toCreate: filtersToCreate } as const;
  const ofTags = { type: "roleScopeTags", called: "scope tag", toCreate: tagsToCreate } as const;
  const groups = makeGroupLookup(provider, target, signal);
  const filters = makeShelf(provider, ofFilters, target, signal);
  const tags = makeShelf(provider, ofTags, target, signal);
  return {
    resolve: { ...target, group: groups.resolve, filter: filters.resolve, scopeTag: tags.resolve },
    async learn(references, names) {
      const named = references.groups.flatMap((id) => names.groups[id] ?? []);
      await groups.learn(target.isElsewhere ? named : references.groups);
      await filters.learn(references.filters);
      await tags.learn(references.scopeTags);
    },
    willCreate({ type, name, matchKey }) {
      if (type === "assignmentFilters") filtersToCreate.set(name, matchKey);
      if (type === "roleScopeTags") tagsToCreate.set(name, matchKey);
    },
  };
}
