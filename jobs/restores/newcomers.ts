import type { PolicyType } from "../../server/provider/policyTypes.ts";
import type { ProviderReader } from "../../server/provider/port.ts";

/** Whether something has come to be at the target that a restore is about to create. */
export type Newcomers = {
  /** The ids of what has the match key now. */
  findFor(type: PolicyType, matchKey: string): Promise<string[]>;
};

/**
 * Lists a type afresh before a creation, but asks for no more than one page per creation on the average: where
 * listing takes `n` pages, one listing serves `n` creations.
 */
export function makeNewcomers(provider: ProviderReader, signal: AbortSignal): Newcomers {
  const listings = new Map<PolicyType, { ids: Map<string, string[]>; uses: number }>();

  async function list(type: PolicyType) {
    const ids = new Map<string, string[]>();
    let pages = 0;
    for await (const page of provider.listIdentities(type, signal)) {
      pages += 1;
      for (const { id, matchKey } of page) ids.set(matchKey, [...(ids.get(matchKey) ?? []), id]);
    }
    return { ids, uses: Math.max(1, pages) };
  }

  return {
    async findFor(type, matchKey) {
      const last = listings.get(type);
      const listing = last === undefined || last.uses === 0 ? await list(type) : last;
      listings.set(type, { ...listing, uses: listing.uses - 1 });
      return listing.ids.get(matchKey) ?? [];
    },
  };
}
