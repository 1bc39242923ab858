import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Db } from "../../server/db/database.ts";
import { makeSandboxClient, type SandboxClient } from "../../server/demo/sandbox/client.ts";
import { credentialKeys } from "../helpers/queue.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A worker exactly as operators start it, against a sandbox: each in a process of its own. */
export type Measured = {
  control: SandboxClient;
  /** Waits until the runs have succeeded; the worker's largest resident size meanwhile, in MB. Throws when one has not. */
  peakUntilDone(runIds: readonly string[]): Promise<number>;
};

export async function withWorker(
  db: Db,
  url: string,
  work: (measured: Measured) => Promise<void>,
): Promise<void> {
  const sandbox = spawn(process.execPath, ["server/demo/sandbox/main.ts"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const sandboxUrl = await readyUrl(sandbox);
  const worker = spawn(process.execPath, workerArguments(), {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: workerEnvironment(url, sandboxUrl),
  });
  try {
    await work({
      control: makeSandboxClient(sandboxUrl),
      peakUntilDone: (runIds) => peakUntilDone(worker, db, runIds),
    });
  } finally {
    for (const child of [worker, sandbox]) {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    }
  }
}

/** How Node is told to keep its young generation small is part of the claim. */
function workerArguments(): string[] {
  const manifest = z
    .object({ scripts: z.object({ worker: z.string() }) })
    .parse(JSON.parse(readFileSync(`${root}/package.json`, "utf8")));
  const [, ...rest] = manifest.scripts.worker.split(" ");
  return rest;
}

function workerEnvironment(url: string, sandboxUrl: string): NodeJS.ProcessEnv {
  const keys = credentialKeys.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(",");
  return {
    ...process.env,
    DATABASE_URL: url,
    GRAPH_URL: sandboxUrl,
    LOGIN_URL: sandboxUrl,
    CREDENTIAL_KEYS: keys,
    LOG_LEVEL: "error",
  };
}

async function readyUrl(sandbox: ChildProcess): Promise<string> {
  if (sandbox.stdout === null) throw new Error("The sandbox has no output to read.");
  for await (const line of createInterface({ input: sandbox.stdout })) {
    return z.object({ url: z.string() }).parse(JSON.parse(line)).url;
  }
  throw new Error("The sandbox did not start.");
}

async function peakUntilDone(worker: ChildProcess, db: Db, runIds: readonly string[]): Promise<number> {
  let peak = 0;
  for (;;) {
    peak = Math.max(peak, residentMegabytes(worker));
    const runs = await db.query<{ outcome: string; message: string | null }>(
      `select outcome, coalesce(failure_message, last_error) as message from operation_runs
       where id = any ($1::uuid[]) and outcome <> 'succeeded'`,
      [runIds],
    );
    if (runs.length === 0) return peak;
    const ended = runs.find(({ outcome }) => outcome !== "pending");
    if (ended !== undefined) throw new Error(`A run ended ${ended.outcome}: ${ended.message}`);
    await pause(20);
  }
}

function residentMegabytes(worker: ChildProcess): number {
  const kilobytes = execFileSync("ps", ["-o", "rss=", "-p", String(worker.pid)], { encoding: "utf8" });
  return Number.parseInt(kilobytes, 10) / 1024;
}
