/**
 * Maps the items in order, with at most `limit` of them under way. The first failure aborts the signal handed
 * to the others and is thrown only when all of them have ended, so that nothing goes on behind the caller.
 */
export async function mapConcurrently<Item, Result>(
  items: Item[],
  limit: number,
  signal: AbortSignal,
  map: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stop = new AbortController();
  const shared = AbortSignal.any([signal, stop.signal]);
  const results: Result[] = new Array(items.length);
  const queue = items.entries();

  async function work(): Promise<void> {
    // One iterator for all workers: each takes the next item that nobody has taken.
    for (const [index, item] of queue) results[index] = await map(item, shared);
  }

  async function workOrStop(): Promise<void> {
    try {
      await work();
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  const outcomes = await Promise.allSettled(Array.from({ length: limit }, workOrStop));
  // `shared` keeps the reason that came first: the caller's own or the first failure.
  if (outcomes.some((outcome) => outcome.status === "rejected")) throw shared.reason;
  return results;
}
