import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { credentialKeys } from "./queue.ts";

/** A process of the product as a platform starts it, with its log read along. */
export type ProductProcess = {
  child: ChildProcess;
  /** What it has logged so far; a line that is no JSON counts as a message. */
  log(): LogLine[];
  /** Resolves with the first line whose message contains that; rejects when the process ends before. */
  says(text: string): Promise<LogLine>;
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string>;
  /** Tells it to stop, as platforms do, and waits for its end. */
  stop(): Promise<number | string>;
};

const logLine = z.looseObject({ level: z.number(), msg: z.string(), pool: z.string().optional() });
export type LogLine = z.infer<typeof logLine>;

/** Starts `server/index.ts` or `jobs/worker.ts` with a log of level info. `settings` come on top of what both need. */
export function startProduct(
  file: "server/index.ts" | "jobs/worker.ts",
  settings: Record<string, string>,
): ProductProcess {
  const child = spawn(process.execPath, [file], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: "test",
      LOG_LEVEL: "info",
      HOST: "127.0.0.1",
      SESSION_SECRET: "a secret for tests that is long enough",
      CREDENTIAL_KEYS: credentialKeys.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(","),
      ...settings,
    },
  });
  const lines: LogLine[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(parseLine(line));
      for (const listener of listeners) listener();
    });
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? -1)),
  );
  return {
    child,
    log: () => lines,
    says: (text) => heard(text, { lines, listeners, ended }),
    ended,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

function heard(
  text: string,
  { lines, listeners, ended }: { lines: LogLine[]; listeners: Set<() => void>; ended: Promise<unknown> },
): Promise<LogLine> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = lines.find(({ msg }) => msg.includes(text));
      if (found === undefined) return;
      listeners.delete(look);
      resolve(found);
    };
    listeners.add(look);
    look();
    void ended.then(() => {
      const said = lines.map(({ msg }) => msg).join("\n");
      reject(new Error(`It ended without saying "${text}":\n${said}`));
    });
  });
}

function parseLine(line: string): LogLine {
  try {
    return logLine.parse(JSON.parse(line));
  } catch {
    return { level: 0, msg: line };
  }
}
