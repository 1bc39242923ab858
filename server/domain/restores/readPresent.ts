import type { PolicyType } from "../../provider/policyTypes.ts";
import type { ProviderPolicy, ProviderReader } from "../../provider/port.ts";

/** From so many on, listing the whole type costs fewer requests than asking for each. */
const listFrom = 20;

/**
 * Those of the policies that are there, with their assignments, a few at a time. Rejects with `ProviderError`,
 * or with the signal's reason.
 */
export async function* readPresent(
  provider: ProviderReader,
  type: PolicyType,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<ProviderPolicy[]> {
  if (ids.size >= listFrom) {
    for await (const { policies } of provider.listPolicies(type, signal, { assignments: true }))
      yield policies.filter(({ id }) => ids.has(id));
    return;
  }
  for (const id of ids) {
    const policy = await provider.readPolicy(type, id, signal);
    if (policy !== null) yield [policy];
  }
}

/** The ids of all objects that have one of the match keys, by key; and how many pages listing them took. */
export async function readIdentities(
  provider: ProviderReader,
  type: PolicyType,
  matchKeys: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ ids: Map<string, string[]>; pages: number }> {
  const ids = new Map<string, string[]>();
  let pages = 0;
  for await (const page of provider.listIdentities(type, signal)) {
    pages += 1;
    for (const { id, matchKey } of page)
      if (matchKeys.has(matchKey)) ids.set(matchKey, [...(ids.get(matchKey) ?? []), id]);
  }
  return { ids, pages };
}
