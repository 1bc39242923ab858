import { createInterface } from "node:readline";
import { ConfigError } from "../server/config.ts";
import { type Db, type InstallationRules, openDatabase } from "../server/db/database.ts";

/** The command cannot be carried out as given. The message is for whoever typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** `print` is for what was asked for; `progress` for what happens meanwhile. */
export type Terminal = { print: (line: string) => void; progress: (line: string) => void };

export const terminal: Terminal = { print: console.log, progress: console.error };

/** The next line that is typed or piped in; empty when there is none. */
export async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}

type Settings<C> = { read: () => C; rules?: (config: C) => InstallationRules };

/**
 * Does a command's work on the database its settings name. What kept it from being done is said in one line:
 * our own words as they are, anything else after `failure`. Returns the exit code, 1 for whatever was thrown.
 */
export async function onDatabase<C extends { DATABASE_URL: string }>(
  failure: string,
  { read, rules }: Settings<C>,
  work: (db: Db, config: C) => Promise<number>,
): Promise<number> {
  try {
    const config = read();
    const db = openDatabase({ url: config.DATABASE_URL, max: 2, ...(rules && { rules: rules(config) }) });
    try {
      return await work(db, config);
    } finally {
      await db.end();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message || error.name : String(error);
    const isOurs = error instanceof ConfigError || error instanceof UsageError;
    terminal.progress(isOurs ? reason : `${failure}: ${reason}`);
    return 1;
  }
}
