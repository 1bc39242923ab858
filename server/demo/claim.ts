import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refused } from "./refused.ts";

/**
 * Makes the data directory this demo's own. Throws `Refused` when another demo is running on it. Returns what
 * gives it free again.
 */
export function claimDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "demo.pid");
  const holder = holderOf(file);
  if (holder !== null)
    throw new Refused(
      `A demo is already running on ${directory} (process ${holder}). Stop it first, or choose another directory with --data.`,
    );
  rmSync(file, { force: true });
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
  } catch {
    throw new Refused(`Another demo is just starting on ${directory}.`);
  }
  return () => rmSync(file, { force: true });
}

/** The process that holds the claim; null when there is none, or it died without giving it free. */
function holderOf(file: string): number | null {
  if (!existsSync(file)) return null;
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
  return Number.isInteger(pid) && pid !== process.pid && isDemo(pid) ? pid : null;
}

/** Ids of processes are used again, soon so in a container: where it can be told, it must be a demo. */
function isDemo(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || readFileSync(commandLine, "utf8").includes("demo/main.ts");
}
