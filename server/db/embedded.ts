import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { type Place, preparePlace } from "./embeddedPlace.ts";

/**
 * A real PostgreSQL from an npm package, for the demo and the tests; production brings its own
 * (`DATABASE_URL`). It listens on loopback only, with a password of its own.
 */
export type EmbeddedServer = {
  url(database: string): string;
  /** Where its data is, which for root may be elsewhere than asked. */
  directory: string;
  /** Settles when the server is gone, asked to or not, with what it printed last. */
  gone: Promise<string>;
  stop(): Promise<void>;
};

type ServerProcess = ChildProcessByStdio<Writable, null, Readable>;

const user = "countersign";
/** How long (milliseconds) a server may take to stop, and one that is stopping may hold its data. */
const stopsWithin = 10_000;
/** Messages in English, and nothing of the shell's own PostgreSQL settings. */
const environment = { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", TZ: "UTC" };

/**
 * Starts the server on a data directory, initialising it when it is new. `port` 0 takes a free one. `flags`
 * are passed to postgres. It stops with the process that started it, whatever ends that one. Errors carry
 * what postgres printed last.
 */
export async function startEmbedded(options: {
  directory: string;
  port: number;
  flags?: string[];
}): Promise<EmbeddedServer> {
  const place = preparePlace(options.directory);
  if (!existsSync(join(place.data, "PG_VERSION"))) await initialise(place);
  await untilReleased(place.data);
  const port = options.port === 0 ? await freePort() : options.port;
  const server = spawnKept(place, ["-p", String(port), ...(options.flags ?? [])]);
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const { ready, gone } = listenTo(server);
  await Promise.race([
    ready,
    gone.then((said) => Promise.reject(new Error(`PostgreSQL did not start. It said: ${said}`))),
  ]);
  const password = readFileSync(passwordFile(place.data), "utf8");
  return {
    url: (database) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`,
    directory: place.data,
    gone,
    async stop() {
      server.stdin.end();
      const stopped = await Promise.race([exited.then(() => true), wait(stopsWithin, false, { ref: false })]);
      if (!stopped && server.pid !== undefined) process.kill(-server.pid, "SIGQUIT");
      await exited;
    },
  };
}

/** Beside its data, so that who can read one can read the other. */
function passwordFile(data: string): string {
  return join(data, "countersign.password");
}

/** Elsewhere first, so that an interrupted start leaves no half directory that looks whole. */
async function initialise(place: Place): Promise<void> {
  const unfinished = `${place.data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  // Beside the data and not in a temporary directory: this place, and maybe only this, is in the user's reach.
  const password = `${place.data}.password`;
  rmSync(password, { force: true });
  writeFileSync(password, randomBytes(18).toString("hex"), { mode: 0o600 });
  for (const path of [unfinished, password]) giveTo(place, path);
  try {
    await initdb(place, ["--pgdata", unfinished, "--pwfile", password]);
    renameSync(password, passwordFile(unfinished));
    renameSync(unfinished, place.data);
  } finally {
    rmSync(password, { force: true });
  }
}

function giveTo({ runAs }: Place, path: string): void {
  if (runAs !== null) chownSync(path, runAs.uid, runAs.gid);
}

async function initdb({ native, runAs }: Place, args: string[]): Promise<void> {
  const program = spawn(
    join(native, "bin", "initdb"),
    ["--auth=scram-sha-256", `--username=${user}`, "--encoding=UTF8", "--locale=C", "--no-sync", ...args],
    { ...runAs, cwd: "/", env: environment, stdio: ["ignore", "ignore", "pipe"] },
  );
  const said: string[] = [];
  program.stderr.on("data", (chunk) => said.push(String(chunk)));
  const code = await new Promise((resolve) => {
    program.once("error", (error) => resolve(said.push(error.message)));
    program.once("close", resolve);
  });
  if (code !== 0) throw new Error(`PostgreSQL could not be set up. It said: ${lastOf(said)}`);
}

/**
 * The shell between us and postgres waits for our end of its input to close, by `stop` or by our death, and
 * then stops the server. In a session of its own: a Ctrl-C in the terminal is for us to deal with, in order.
 */
function spawnKept({ native, data, runAs }: Place, flags: string[]): ServerProcess {
  return spawn(
    "/bin/sh",
    [
      "-c",
      '"$@" & exec 2>&-; read -r line; kill -INT $!; wait $!',
      "countersign-postgres",
      join(native, "bin", "postgres"),
      ...["-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", ...flags],
    ],
    { ...runAs, detached: true, cwd: "/", env: environment, stdio: ["pipe", "ignore", "pipe"] },
  );
}

function listenTo(server: ServerProcess): { ready: Promise<void>; gone: Promise<string> } {
  const said: string[] = [];
  const ready = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<string>();
  server.stderr.on("data", (chunk) => {
    said.push(String(chunk));
    if (said.length > 20) said.shift();
    if (String(chunk).includes("ready to accept connections")) ready.resolve();
  });
  // Postgres and its children alone hold the other end.
  server.stderr.once("close", () => {
    gone.resolve(lastOf(said));
    server.stdin.end();
  });
  server.once("error", (error) => gone.resolve(error.message));
  server.stdin.on("error", () => {});
  return { ready: ready.promise, gone: gone.promise };
}

function lastOf(said: readonly string[]): string {
  return said.join("").trim().split("\n").slice(-5).join(" ") || "nothing";
}

/** A server whose starter was killed takes a moment to stop. */
async function untilReleased(data: string): Promise<void> {
  const lock = join(data, "postmaster.pid");
  for (let waited = 0; waited < stopsWithin && existsSync(lock) && isAlive(lock); waited += 100)
    await wait(100);
}

function isAlive(lock: string): boolean {
  try {
    process.kill(Number.parseInt(readFileSync(lock, "utf8"), 10), 0);
    return true;
  } catch {
    return false;
  }
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
