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

/** Always cut the same way, so that an effect per slice is the same one in every attempt. */
export function inSlices<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
