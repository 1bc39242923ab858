import type { JsonObject } from "../../provider/port.ts";
import { defaultScopeTag, type ReferredNames, scopeTagKeys } from "../backups/references.ts";
import type { Resolver, Step } from "./resolver.ts";

/**
 * The policy with its scope tags as they are at the target. One that is not there is left out with a note; when
 * none would be left the item is refused, because then every administrator of the default scope would see it.
 */
export function mapScopeTags(policy: JsonObject, names: ReferredNames, resolve: Resolver): Step<JsonObject> {
  const notes: string[] = [];
  let value = policy;
  for (const key of scopeTagKeys) {
    const tags = policy[key];
    if (!Array.isArray(tags) || tags.length === 0) continue;
    const kept = tags.flatMap((tag) => {
      if (typeof tag !== "string" || tag === defaultScopeTag) return [tag];
      const found = resolve.scopeTag(tag, names.scopeTags[tag] ?? null);
      if (found.kind === "found") return [found.id];
      notes.push(`It loses a scope tag: ${found.why}.`);
      return [];
    });
    if (kept.length === 0) return { refused: `None of its scope tags is there. ${notes.join(" ")}` };
    value = { ...value, [key]: kept };
  }
  return { value, notes };
}
