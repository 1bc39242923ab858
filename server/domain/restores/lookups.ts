import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ProviderReader } from "../../provider/port.ts";
import { unlessLacking } from "../backups/unlessLacking.ts";
import { createdPlaceholder, type Resolved } from "./resolver.ts";

/** Where things are looked up. `isElsewhere`: at another tenant than the backup's, where ids mean nothing. */
export type Target = { tenantName: string; isElsewhere: boolean };

export type Lookup = {
  /** Looks up what is not known yet. Rejects with `ProviderError`, but not for a permission that is lacking. */
  learn(keys: readonly string[]): Promise<void>;
  resolve(id: string, name: string | null): Resolved;
};

type Named = { id: string; name: string };

/**
 * Groups: by id at the tenant that the backup is of, by name elsewhere. Where they may not be read at all, those
 * of the same tenant are taken to be as they were; of another nothing is known.
 */
export function makeGroupLookup(provider: ProviderReader, target: Target, signal: AbortSignal): Lookup {
  const { isElsewhere } = target;
  const known = new Map<string, Named[]>();
  let problem: string | null = null;
  return {
    async learn(keys) {
      const unknown = [...new Set(keys)].filter((key) => !known.has(key));
      if (unknown.length === 0 || problem !== null) return;
      const found = await unlessLacking(() =>
        isElsewhere ? provider.findGroupsByName(unknown, signal) : provider.findGroupsById(unknown, signal),
      );
      if (typeof found === "string") problem = found;
      else
        for (const key of unknown) {
          const same = found.filter(({ id, name }) => (isElsewhere ? name : id) === key);
          known.set(key, same);
        }
    },
    resolve(id, name) {
      const called = name === null ? `group ${id}` : `the group “${name}”`;
      if (problem !== null) return unread(problem, called, id, target);
      if (isElsewhere && name === null) return { kind: "absent", why: `the name of ${called} is not known` };
      return only(known.get(isElsewhere ? (name ?? "") : id) ?? [], called, target);
    },
  };
}

/**
 * Objects of a small type that others refer to: by id where the backup is of, else by name, for a restore may
 * have created them anew. One that the plan creates stands for itself until it has an id.
 */
export function makeShelf(
  provider: ProviderReader,
  of: { type: PolicyType; called: string; toCreate: ReadonlyMap<string, string> },
  target: Target,
  signal: AbortSignal,
): Lookup {
  let shelf: Named[] | string | null = null;
  const readAll = async () => {
    const all: Named[] = [];
    for await (const { policies } of provider.listPolicies(of.type, signal))
      all.push(...policies.map(({ id, name }) => ({ id, name })));
    return all;
  };
  return {
    async learn(keys) {
      if (keys.length > 0) shelf ??= await unlessLacking(readAll);
    },
    resolve(id, name) {
      const called = name === null ? `${of.called} ${id}` : `the ${of.called} “${name}”`;
      if (typeof shelf === "string") return unread(shelf, called, id, target);
      const all = shelf ?? [];
      if (!target.isElsewhere && all.some((one) => one.id === id)) return { kind: "found", id };
      const found = all.filter((one) => one.name === name);
      const matchKey = name === null ? undefined : of.toCreate.get(name);
      if (found.length === 0 && matchKey !== undefined)
        return { kind: "found", id: createdPlaceholder(of.type, matchKey) };
      return only(found, called, target);
    },
  };
}

function unread(problem: string, called: string, id: string, { isElsewhere }: Target): Resolved {
  if (!isElsewhere) return { kind: "found", id };
  return { kind: "absent", why: `${called} cannot be looked up (${problem})` };
}

function only(found: readonly Named[], called: string, { tenantName }: Target): Resolved {
  const [one] = found;
  if (one === undefined) return { kind: "absent", why: `${called} does not exist at ${tenantName}` };
  if (found.length > 1) return { kind: "absent", why: `${called} exists more than once at ${tenantName}` };
  return { kind: "found", id: one.id };
}
