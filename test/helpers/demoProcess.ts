import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A demo in a process group of its own, as a terminal would start it. */
export type DemoProcess = {
  pid: number;
  /** All it has printed. */
  printed(): string;
  /** Resolves once it has printed that; rejects when it ends before. */
  says(text: string): Promise<void>;
  /** Its exit code; -1 for a signal. */
  ended: Promise<number>;
  /** Ctrl-C in its terminal. */
  interrupt(): void;
};

export function startDemoProcess(options: {
  data: string;
  port: number;
  flags?: string[];
  databaseUrl?: string;
}): DemoProcess {
  const { data, port, flags = [], databaseUrl } = options;
  const child = spawn(process.execPath, ["server/demo/main.ts", "--data", data, ...flags], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { PATH: process.env.PATH, PORT: String(port), ...(databaseUrl && { DATABASE_URL: databaseUrl }) },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += String(chunk);
      for (const listener of listeners) listener();
    });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  const pid = child.pid ?? 0;
  return {
    pid,
    printed: () => text,
    ended,
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (text.includes(wanted)) resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`The demo ended without saying "${wanted}":\n${text}`)));
      }),
    interrupt: () => process.kill(-pid, "SIGINT"),
  };
}
