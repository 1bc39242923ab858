import type { ProviderReader } from "../../provider/port.ts";
import type { References, ReferredNames } from "../backups/references.ts";
import { unlessLacking } from "../backups/unlessLacking.ts";
import { createdPlaceholder, type Resolved, type Resolver } from "./resolver.ts";

/** What is known of the target, looked up before items are planned, so that planning asks nobody. */
export type TargetBook = {
  resolve: Resolver;
  /** Looks up what items name. Rejects with `ProviderError`, but not for a permission that is lacking. */
  learn(references: References, names: ReferredNames): Promise<void>;
  /** The plan creates such an object: later items may refer to it before it has an id. */
  willCreate(type: string, name: string, matchKey: string): void;
};

type Named = { id: string; name: string };
/** All filters or scope tags of the target; a text says why they could not be read. */
type Shelf = Named[] | string | null;

export function makeTargetBook(
  provider: ProviderReader,
  target: { tenantName: string; isElsewhere: boolean },
  signal: AbortSignal,
): TargetBook {
  const { tenantName, isElsewhere } = target;
  const groups = new Map<string, Named[]>();
  const shelves: { assignmentFilters: Shelf; roleScopeTags: Shelf } = {
    assignmentFilters: null,
    roleScopeTags: null,
  };
  const toCreate = new Map<string, string>();
  let groupsProblem: string | null = null;

  /** By id at the same tenant, by name elsewhere. */
  async function learnGroups(keys: readonly string[]): Promise<void> {
    const unknown = keys.filter((key) => !groups.has(key));
    if (unknown.length === 0 || groupsProblem !== null) return;
    const found = await unlessLacking(() =>
      isElsewhere ? provider.findGroupsByName(unknown, signal) : provider.findGroupsById(unknown, signal),
    );
    if (typeof found === "string") groupsProblem = found;
    else
      for (const key of unknown)
        groups.set(
          key,
          found.filter(({ id, name }) => (isElsewhere ? name : id) === key),
        );
  }

  async function learnShelf(type: "assignmentFilters" | "roleScopeTags"): Promise<void> {
    if (shelves[type] !== null) return;
    shelves[type] = await unlessLacking(async () => {
      const all: Named[] = [];
      for await (const { policies } of provider.listPolicies(type, signal))
        all.push(...policies.map(({ id, name }) => ({ id, name })));
      return all;
    });
  }

  function group(id: string, name: string | null): Resolved {
    const called = name === null ? `group ${id}` : `the group “${name}”`;
    if (!isElsewhere && groupsProblem !== null) return { kind: "found", id };
    if (groupsProblem !== null)
      return { kind: "absent", why: `${called} cannot be looked up (${groupsProblem})` };
    if (isElsewhere && name === null) return { kind: "absent", why: `the name of ${called} is not known` };
    return only(groups.get(isElsewhere ? (name ?? "") : id) ?? [], called);
  }

  function onShelf(type: "assignmentFilters" | "roleScopeTags", kind: string) {
    return (id: string, name: string | null): Resolved => {
      const shelf = shelves[type] ?? [];
      const called = name === null ? `${kind} ${id}` : `the ${kind} “${name}”`;
      if (typeof shelf === "string")
        return isElsewhere
          ? { kind: "absent", why: `${called} cannot be looked up (${shelf})` }
          : { kind: "found", id };
      if (!isElsewhere && shelf.some((one) => one.id === id)) return { kind: "found", id };
      const matchKey = toCreate.get(`${type}|${name}`);
      const found = shelf.filter((one) => one.name === name);
      if (found.length === 0 && matchKey !== undefined)
        return { kind: "found", id: createdPlaceholder(type, matchKey) };
      return only(found, called);
    };
  }

  function only(found: readonly Named[], called: string): Resolved {
    const [one] = found;
    if (one === undefined) return { kind: "absent", why: `${called} does not exist at ${tenantName}` };
    if (found.length > 1) return { kind: "absent", why: `${called} exists more than once at ${tenantName}` };
    return { kind: "found", id: one.id };
  }

  return {
    resolve: {
      tenantName,
      isElsewhere,
      group,
      filter: onShelf("assignmentFilters", "filter"),
      scopeTag: onShelf("roleScopeTags", "scope tag"),
    },
    async learn(references, names) {
      const known = references.groups.flatMap((id) => names.groups[id] ?? []);
      await learnGroups(isElsewhere ? known : references.groups);
      if (references.filters.length > 0) await learnShelf("assignmentFilters");
      if (references.scopeTags.length > 0) await learnShelf("roleScopeTags");
    },
    willCreate: (type, name, matchKey) => void toCreate.set(`${type}|${name}`, matchKey),
  };
}
