/** Effect transactions hold authority locks: they stay small, however large the provider's pages are. */
export function inParts<T>(items: readonly T[], contentOf: (item: T) => unknown): T[][] {
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = JSON.stringify(contentOf(item)).length;
    const last = parts.at(-1);
    if (last === undefined || last.length >= 25 || size > room) {
      parts.push([item]);
      room = 500_000 - size;
    } else {
      last.push(item);
      room -= size;
    }
  }
  return parts;
}
