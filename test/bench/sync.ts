import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Db } from "../../server/db/database.ts";
import { makeSandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { credentialKeys } from "../helpers/queue.ts";
import { withDatabase } from "./installation.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Whether the worker reads a directory page by page: its resident memory at the peak of a sync of 500
 * policies, and of 5,000, in a process of its own with the sandbox in another.
 */
export async function benchSync(): Promise<void> {
  await withDatabase(async (db, url) => {
    const sandbox = spawn(process.execPath, ["server/demo/sandbox/main.ts"], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const sandboxUrl = await readyUrl(sandbox);
    const control = makeSandboxClient(sandboxUrl);
    const world = await seedNorthwind({ db, control }, { policies: 500 });
    const worker = spawn(process.execPath, workerArguments(), {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
      env: workerEnvironment(url, sandboxUrl),
    });
    try {
      // The first ones load code and warm caches; what a process needs anyway is not growth.
      for (let n = 0; n < 3; n += 1) await peakOf(worker, db, world);
      const small = await peakOf(worker, db, world);
      await control.setPolicies(world.contoso.directoryId, 5_000);
      const large = await peakOf(worker, db, world);
      console.log(`sync of   500 policies: peak ${small.toFixed(1)} MB resident`);
      console.log(`sync of 5,000 policies: peak ${large.toFixed(1)} MB resident`);
      console.log(`growth: ${(large - small).toFixed(1)} MB (at most 32 MB is promised)`);
      if (large - small >= 32) process.exitCode = 1;
    } finally {
      for (const child of [worker, sandbox]) {
        child.kill("SIGTERM");
        if (child.exitCode === null) await once(child, "exit");
      }
    }
  });
}

/** Exactly as operators start it: how Node is told to keep its young generation small is part of the claim. */
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

/** The largest resident size, in MB, seen while the worker does one sync. */
async function peakOf(worker: ChildProcess, db: Db, world: Northwind): Promise<number> {
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  let peak = 0;
  for (;;) {
    peak = Math.max(peak, residentMegabytes(worker));
    const [row] = await db.query<{ outcome: string; message: string | null }>(
      "select outcome, coalesce(failure_message, last_error) as message from operation_runs where id = $1",
      [run],
    );
    if (row?.outcome === "succeeded") return peak;
    if (row?.outcome !== "pending") throw new Error(`The sync ended ${row?.outcome}: ${row?.message}`);
    await pause(20);
  }
}

function residentMegabytes(worker: ChildProcess): number {
  const kilobytes = execFileSync("ps", ["-o", "rss=", "-p", String(worker.pid)], { encoding: "utf8" });
  return Number.parseInt(kilobytes, 10) / 1024;
}
