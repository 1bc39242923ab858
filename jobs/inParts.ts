import type { ProviderPolicy } from "../server/provider/port.ts";

/** Effect transactions hold authority locks: they stay small, however large the provider's pages are. */
export function inParts(policies: readonly ProviderPolicy[]): ProviderPolicy[][] {
  const parts: ProviderPolicy[][] = [];
  let room = 0;
  for (const policy of policies) {
    const size = JSON.stringify(policy.payload).length;
    const last = parts.at(-1);
    if (last === undefined || last.length >= 25 || size > room) {
      parts.push([policy]);
      room = 500_000 - size;
    } else {
      last.push(policy);
      room -= size;
    }
  }
  return parts;
}
