import { z } from "zod";
import type { InstallationRules } from "./db/database.ts";

/**
 * The environment, parsed once. Nothing else reads `process.env`. A missing or malformed setting stops the
 * process with one line that names it, says what it must look like and gives an example.
 */

const address = (example: string) =>
  z.url({ protocol: /^https?$/, error: `must be an http(s) address, for example ${example}` });

const wholeNumber = (fallback: number, min: number, max: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${min} to ${max}, for example ${fallback}` })
    .int({ error: `must be a whole number from ${min} to ${max}, for example ${fallback}` })
    .min(min, { error: `must be a whole number from ${min} to ${max}, for example ${fallback}` })
    .max(max, { error: `must be a whole number from ${min} to ${max}, for example ${fallback}` })
    .default(fallback);

const credentialKeysMessage =
  "must list keys as id:base64 of 32 bytes, separated by commas, the one to encrypt with first, for example k1:$(openssl rand -base64 32)";

const credentialKeys = z
  .string({ error: credentialKeysMessage })
  .transform((text) => text.split(",").map((part) => part.trim().split(":")))
  .refine((parts) => parts.every(isCredentialKey), { error: credentialKeysMessage })
  .transform((parts) => parts.map(([id = "", key = ""]) => ({ id, key: Buffer.from(key, "base64") })));

function isCredentialKey(parts: string[]): boolean {
  const [id, key] = parts;
  return (
    parts.length === 2 && /^[\w-]{1,40}$/.test(id ?? "") && Buffer.from(key ?? "", "base64").length === 32
  );
}

/** Ages in days at which housekeeping deletes; 0 keeps. */
const keptFor = (days: number) => wholeNumber(days, 0, 36_500);

const databaseUrlMessage =
  "must be a PostgreSQL address, for example postgres://countersign:secret@localhost:5432/countersign";

const database = z.object({
  DATABASE_URL: z.string({ error: databaseUrlMessage }).regex(/^postgres(ql)?:\/\/\S+$/, databaseUrlMessage),
  DATABASE_POOL_MAX: wholeNumber(10, 2, 200),
});

const shared = database.extend({
  NODE_ENV: z
    .enum(["development", "test", "production"], {
      error: "must be development, test or production, for example production",
    })
    .default("development"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], {
      error: "must be fatal, error, warn, info, debug, trace or silent, for example info",
    })
    .default("info"),
  REQUEST_EXPIRY_HOURS: wholeNumber(24, 1, 8760),
  /** How old a verification may be for the write gate to stay open. */
  WRITE_GATE_MAX_AGE_HOURS: wholeNumber(24, 1, 8760),
  /** How many runs of one tenant may be under way at once; fewer than all workers together work on. */
  TENANT_CONCURRENCY: wholeNumber(4, 1, 500),
  PORT: wholeNumber(3000, 0, 65535),
  /** Where people reach the site; links printed by commands start with it. */
  BASE_URL: address("https://countersign.example.com").optional(),
});

const sessionSecretMessage =
  "must be at least 32 characters, kept secret and the same on every web dyno, for example $(openssl rand -hex 32)";

const web = shared.extend({
  /** The address to listen on; all of them unless told otherwise. */
  HOST: z
    .string()
    .regex(/^[\w.:-]+$/, "must be an address of this machine, for example 127.0.0.1")
    .optional(),
  SESSION_SECRET: z.string({ error: sessionSecretMessage }).min(32, sessionSecretMessage),
  /** To seal what is entered on a connection's page; only the worker and the rotation open anything. */
  CREDENTIAL_KEYS: credentialKeys,
});

const worker = shared.extend({
  CREDENTIAL_KEYS: credentialKeys,
  GRAPH_URL: address("https://graph.microsoft.com").default("https://graph.microsoft.com"),
  LOGIN_URL: address("https://login.microsoftonline.com").default("https://login.microsoftonline.com"),
  /** Read notifications. */
  RETENTION_NOTIFICATION_DAYS: keptFor(90),
  /** Ended runs with their decisions and effects; what a backup rests on stays as long as the backup does. */
  RETENTION_RUN_DAYS: keptFor(730),
  /** Backup sets. Off unless asked for: nothing else can bring one back. */
  RETENTION_BACKUP_DAYS: keptFor(0),
  WORKER_CONCURRENCY: wholeNumber(10, 1, 500),
  /**
   * After how long without a sign of life a worker counts as lost and its runs are taken up by others. Less than
   * 15 is for trials: a process that its host holds up for a moment is not lost.
   */
  WORKER_LOST_AFTER_SECONDS: wholeNumber(45, 1, 3600),
});

const credentials = database.extend({ CREDENTIAL_KEYS: credentialKeys });

export type SharedConfig = z.infer<typeof shared>;
export type WebConfig = z.infer<typeof web>;
export type WorkerConfig = z.infer<typeof worker>;

/** What each kind of process needs to be told. */
export const settings = { database, shared, web, worker, credentials };

/** A setting is missing or malformed. The message is one line an operator can act on. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Parses the settings one kind of process needs. Throws `ConfigError` naming the first setting that is
 * wrong. An empty value counts as absent, as in a copied `.env.example`.
 */
export function readConfig<T extends z.ZodType>(
  schema: T,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<T> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = z.safeParse(schema, present);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ConfigError(`${issue?.path.join(".") ?? "The environment"} ${issue?.message ?? "is not usable"}`);
}

/** What the installation decides about authority. */
export function rulesOf(config: SharedConfig): InstallationRules {
  return {
    writeGateMaxAgeHours: config.WRITE_GATE_MAX_AGE_HOURS,
    tenantConcurrency: config.TENANT_CONCURRENCY,
  };
}

/** The address people use, without a trailing slash. */
export function baseUrl(config: SharedConfig): string {
  return (config.BASE_URL ?? `http://localhost:${config.PORT}`).replace(/\/+$/, "");
}
