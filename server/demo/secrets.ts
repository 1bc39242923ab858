import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const secrets = z.object({ SESSION_SECRET: z.string(), CREDENTIAL_KEYS: z.string() });

/** The secrets of this demo's web and worker: made at its first start, kept beside its data, readable by us only. */
export function keepSecrets(directory: string): z.infer<typeof secrets> {
  const file = join(directory, "secrets.json");
  if (existsSync(file)) return secrets.parse(JSON.parse(readFileSync(file, "utf8")));
  const made = {
    SESSION_SECRET: randomBytes(32).toString("hex"),
    CREDENTIAL_KEYS: `demo-${randomBytes(4).toString("hex")}:${randomBytes(32).toString("base64")}`,
  };
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  return made;
}
