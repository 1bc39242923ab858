import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a command ended, and what it said on both of its streams. */
export type Ended = { code: number | null; out: string; err: string };

/** Runs one of `bin/` with these settings and no others; `typed` is what it reads. */
export function runCommand(
  file: `bin/${string}.ts`,
  args: readonly string[],
  settings: Record<string, string>,
  typed = "",
): Promise<Ended> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: settings,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = { code: null, out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    ended.out += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    ended.err += String(chunk);
  });
  // One that reads nothing may have ended before.
  child.stdin.on("error", () => {});
  child.stdin.end(typed);
  return new Promise((resolve) => child.once("close", (code) => resolve({ ...ended, code })));
}
