import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { prettyFactory } from "pino-pretty";
import { ConfigError, readConfig, settings } from "../config.ts";
import { Refused } from "./refused.ts";
import { startDemo } from "./startDemo.ts";
import { welcome } from "./tourText.ts";

type Flags = { withoutWorker?: true; fresh?: true; verbose?: true; data: string };

const demoSettings = settings.shared
  .pick({ PORT: true })
  .extend({ DATABASE_URL: settings.shared.shape.DATABASE_URL.optional() });

const readable = prettyFactory({
  ignore: "pid,hostname,name",
  translateTime: "SYS:HH:MM:ss.l",
  singleLine: true,
});
const stopping = new AbortController();
// Ctrl-C reaches us from the terminal and again through npm; once is enough.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());

await new Command("npm run demo --")
  .description(
    "Starts everything on this machine, with people, tenants and some days of history to look at:\n" +
      "PostgreSQL, a sandbox in the place of Microsoft Graph, the worker and the web process.",
  )
  .option("--without-worker", "leave the worker out: what is requested stays queued")
  .option("--fresh", "throw the demo's data away and start over")
  .option("--verbose", "show what the processes log")
  .option(
    "--data <directory>",
    "where data, secrets and logs are kept",
    fileURLToPath(new URL("../../.data", import.meta.url)),
  )
  .addHelpText(
    "after",
    `
Settings:
  PORT          where the web process listens (3000)
  DATABASE_URL  an empty PostgreSQL database to use in the place of the demo's own

It ends with exit code 0 when it is stopped (Ctrl-C), 1 when it cannot start or a process of it ends.`,
  )
  .action(run)
  .parseAsync();

async function run(flags: Flags): Promise<void> {
  const began = performance.now();
  try {
    const { PORT, DATABASE_URL } = readConfig(demoSettings);
    const demo = await startDemo({
      directory: flags.data,
      port: PORT,
      databaseUrl: DATABASE_URL ?? null,
      worker: flags.withoutWorker !== true,
      fresh: flags.fresh === true,
      say: (line) => console.log(line),
      echo: (name, line) => {
        if (flags.verbose) console.log(`${name.padEnd(8)}${readable(line).trimEnd()}`);
      },
      signal: stopping.signal,
    });
    console.log(`Ready after ${((performance.now() - began) / 1_000).toFixed(1)} s.\n\n${welcome(demo)}\n`);
    const ending = await Promise.race([demo.broken, stopped(stopping.signal)]);
    if (ending !== null) console.error(`The demo ends: ${ending}`);
    console.log("Stopping …");
    await demo.stop();
    process.exitCode = ending === null ? 0 : 1;
  } catch (error) {
    settle(error);
  }
}

function stopped(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

function settle(error: unknown): void {
  if (stopping.signal.aborted) {
    console.log("Stopped before it was ready.");
    return;
  }
  process.exitCode = 1;
  if (error instanceof Refused || error instanceof ConfigError) console.error(error.message);
  else console.error(`The demo could not start: ${error instanceof Error ? error.message : String(error)}`);
}
