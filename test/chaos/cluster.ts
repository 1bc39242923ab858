import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedServer, freePort, startEmbedded } from "../../server/db/embedded.ts";
import { removeEmbedded } from "../../server/db/embeddedPlace.ts";
import { migrateDatabase } from "../../server/db/migrate.ts";

/** A PostgreSQL of a test's own that may go away and come back at the same address. */
export type Cluster = {
  url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it at once, as a lost host does: it recovers when it starts. */
  crash(): Promise<void>;
  remove(): Promise<void>;
};

/** With a migrated database. */
export async function startCluster(): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), "countersign-chaos-"));
  // As root, PostgreSQL runs as a user of its own, who has to reach its directory inside this one.
  chmodSync(directory, 0o755);
  const data = join(directory, "postgres");
  const port = await freePort();
  // The machine itself is not lost, so what was written stays written.
  const flags = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"];
  const start = () => startEmbedded({ directory: data, port, flags });
  let server: EmbeddedServer = await start();
  const url = server.url("postgres");
  await migrateDatabase(url);
  return {
    url,
    stop: () => server.stop(),
    async start() {
      server = await start();
    },
    async crash() {
      const [pid] = readFileSync(join(server.directory, "postmaster.pid"), "utf8").split("\n");
      process.kill(Number(pid), "SIGQUIT");
      await server.gone;
    },
    async remove() {
      await server.stop();
      removeEmbedded(data);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
