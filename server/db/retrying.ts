import { setTimeout as wait } from "node:timers/promises";

/** Deadlock, serialization failure, lock, statement, idle and transaction time-outs: worth another try. */
const transientStates = new Set(["40P01", "40001", "55P03", "57014", "25P03", "25P04"]);

/** The SQLSTATE of a database error, or undefined for anything else. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && transientStates.has(state);
}

/**
 * Repeats a whole transaction that lost a lock or a deadlock, with growing random pauses (milliseconds), so
 * that those who collided do not collide again. Anything else, and the last failure, is thrown on.
 */
export async function retrying<T>(attempt: () => Promise<T>, tries = 8): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tried >= tries || !isTransient(error)) throw error;
      await wait(Math.random() * Math.min(15 * 2 ** tried, 1_000));
    }
  }
}
