import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process of the demo. */
export type Child = {
  name: string;
  /** Settles when it has ended, asked to or not, with how and what it printed last. */
  gone: Promise<string>;
  /** What it prints first. */
  firstLine: Promise<string>;
  stop(): Promise<void>;
};

/** How long (milliseconds) a child may take to stop before it is ended: longer than a worker finishes runs. */
const stopsWithin = 15_000;
const link = new URL("./childLink.ts", import.meta.url).href;

/**
 * Starts one of the product's processes with nothing of our environment but what is given. What it prints
 * goes to the log file, and to `echo`.
 */
export function startChild(options: {
  name: string;
  /** From the project's root. */
  script: string;
  args?: string[];
  environment?: Record<string, string>;
  logFile: string;
  echo: (line: string) => void;
}): Child {
  const { name, script, args = [], environment = {}, logFile, echo } = options;
  const child = spawn(process.execPath, ["--import", link, script, ...args], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: environment,
    // Its own session: a Ctrl-C in the terminal is for the demo to deal with, in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const log = createWriteStream(logFile);
  const printed: string[] = [];
  const first = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      log.write(`${line}\n`);
      echo(line);
      first.resolve(line);
      if (printed.push(line) > 5) printed.shift();
    });
  }
  const gone = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    // After its output has ended, so that the last words are there.
    child.once("close", (code, signal) =>
      resolve(`ended with ${signal ?? `exit code ${code}`}. It said: ${printed.join(" ") || "nothing"}`),
    );
  });
  void gone.then(() => log.end());
  return {
    name,
    gone,
    firstLine: first.promise,
    async stop() {
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), stopsWithin);
      await gone;
      clearTimeout(patience);
    },
  };
}
