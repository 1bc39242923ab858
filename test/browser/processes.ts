import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { freePort } from "../../server/db/embedded.ts";
import { makeSandboxClient, type SandboxClient } from "../../server/demo/sandbox/client.ts";
import { until } from "../helpers/interleaving.ts";
import { credentialKeys } from "../helpers/queue.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The installation as operators run it: web, worker and provider in processes of their own. */
export type Processes = {
  url: string;
  control: SandboxClient;
  stopWorker(): Promise<void>;
  startWorker(): void;
  stop(): Promise<void>;
};

export async function startProcesses(databaseUrl: string): Promise<Processes> {
  const sandbox = spawn(process.execPath, ["server/demo/sandbox/main.ts"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const provider = await addressOf(sandbox);
  const port = await freePort();
  const environment = settingsFor(databaseUrl, provider, port);
  const web = start("server/index.ts", environment);
  let worker = startWorkerProcess(databaseUrl, provider);
  const url = `http://127.0.0.1:${port}`;
  await until(() => answers(`${url}/health/ready`, web)).catch(async (error: unknown) => {
    for (const child of [web, worker, sandbox]) await end(child);
    throw error;
  });
  return {
    url,
    control: makeSandboxClient(provider),
    stopWorker: () => end(worker),
    startWorker() {
      worker = startWorkerProcess(databaseUrl, provider);
    },
    async stop() {
      for (const child of [web, worker, sandbox]) await end(child);
    },
  };
}

/** A worker alone, as operators run it. */
export function startWorkerProcess(databaseUrl: string, provider: string): ChildProcess {
  return start("jobs/worker.ts", settingsFor(databaseUrl, provider, 0));
}

function settingsFor(databaseUrl: string, provider: string, port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_ENV: "test",
    NODE_OPTIONS: "",
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    SESSION_SECRET: "a secret for tests that is long enough",
    CREDENTIAL_KEYS: credentialKeys.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(","),
    GRAPH_URL: provider,
    LOGIN_URL: provider,
    LOG_LEVEL: "error",
  };
}

function start(file: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [file], { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
}

async function addressOf(sandbox: ChildProcess): Promise<string> {
  if (sandbox.stdout === null) throw new Error("The sandbox has no output to read.");
  for await (const line of createInterface({ input: sandbox.stdout })) {
    return z.object({ url: z.string() }).parse(JSON.parse(line)).url;
  }
  throw new Error("The sandbox did not start.");
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`The web process ended with code ${child.exitCode}.`);
  try {
    return (await fetch(url)).ok;
  } catch {
    // Not listening yet: the only answer there is until it does.
    return false;
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
