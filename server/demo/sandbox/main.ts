import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { directoryDefinition } from "./directories.ts";
import { startSandbox } from "./startSandbox.ts";

// The sandbox as a process of its own: says its address in one line of JSON, stops on SIGTERM.
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    /** A JSON file with an array of directory definitions. */
    directories: { type: "string" },
  },
});

const directories =
  values.directories === undefined
    ? []
    : z.array(directoryDefinition).parse(JSON.parse(await readFile(values.directories, "utf8")));
const port = z.coerce.number().int().min(0).max(65_535).parse(values.port);
const sandbox = await startSandbox({ port, host: values.host, directories });
process.stdout.write(`${JSON.stringify({ url: sandbox.url })}\n`);

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void sandbox.close());
