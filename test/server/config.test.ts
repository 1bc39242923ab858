import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { baseUrl, ConfigError, readConfig, settings } from "../../server/config.ts";

const keys = `k1:${Buffer.alloc(32, 1).toString("base64")}`;
const complete = {
  DATABASE_URL: "postgres://countersign:secret@localhost:5432/countersign",
  SESSION_SECRET: "x".repeat(32),
  CREDENTIAL_KEYS: keys,
};

test("each kind of process asks for what it needs and no more", () => {
  expect(readConfig(settings.database, { DATABASE_URL: complete.DATABASE_URL })).toMatchObject({
    DATABASE_POOL_MAX: 10,
  });
  expect(readConfig(settings.web, complete)).toMatchObject({
    PORT: 3000,
    NODE_ENV: "development",
    LOG_LEVEL: "info",
    REQUEST_EXPIRY_HOURS: 24,
  });
  expect(readConfig(settings.worker, { ...complete, SESSION_SECRET: "" })).toMatchObject({
    GRAPH_URL: "https://graph.microsoft.com",
    LOGIN_URL: "https://login.microsoftonline.com",
    WORKER_CONCURRENCY: 10,
  });
});

describe("a setting that is missing or malformed is named, with what it must look like and an example", () => {
  test.each([
    ["DATABASE_URL", "", /must be a PostgreSQL address, for example postgres:/],
    ["DATABASE_URL", "mysql://localhost/x", /must be a PostgreSQL address/],
    ["DATABASE_POOL_MAX", "one", /must be a whole number from 2 to 200, for example 10/],
    ["DATABASE_POOL_MAX", "1", /must be a whole number from 2 to 200/],
    ["NODE_ENV", "prod", /must be development, test or production, for example production/],
    ["LOG_LEVEL", "loud", /must be fatal, error, warn, info, debug, trace or silent, for example info/],
    ["REQUEST_EXPIRY_HOURS", "0", /must be a whole number from 1 to 8760, for example 24/],
    ["PORT", "70000", /must be a whole number from 0 to 65535, for example 3000/],
    ["PORT", "30.5", /must be a whole number/],
    ["BASE_URL", "countersign.example.com", /must be an http\(s\) address, for example https:/],
  ])("%s=%s", (name, value, message) => {
    expect(complaintOf(settings.shared, { ...complete, [name]: value })).toMatch(message);
    expect(complaintOf(settings.shared, { ...complete, [name]: value })).toMatch(new RegExp(`^${name} `));
  });

  test.each([
    ["", /must be at least 32 characters, kept secret.*for example/],
    ["short", /must be at least 32 characters/],
  ])("SESSION_SECRET=%s", (value, message) => {
    expect(complaintOf(settings.web, { ...complete, SESSION_SECRET: value })).toMatch(message);
  });

  test.each([[""], ["k1"], ["k1:dG9vIHNob3J0"], [`${keys},`], [`${keys},k2:`], [`a b:${keys.slice(3)}`]])(
    "CREDENTIAL_KEYS=%s",
    (value) => {
      for (const process of [settings.web, settings.worker, settings.credentials]) {
        const complaint = complaintOf(process, { ...complete, CREDENTIAL_KEYS: value });
        expect(complaint).toMatch(/^CREDENTIAL_KEYS must list keys as id:base64 of 32 bytes.*for example/);
      }
    },
  );
});

test("a complaint is one line and repeats no secret", () => {
  const complaint = complaintOf(settings.worker, { ...complete, CREDENTIAL_KEYS: "k1:c2VjcmV0" });
  expect(complaint.split("\n")).toHaveLength(1);
  expect(complaint).not.toContain("c2VjcmV0");
});

test("the first of several keys seals and all of them open", () => {
  const two = `new:${Buffer.alloc(32, 2).toString("base64")}, ${keys}`;
  const { CREDENTIAL_KEYS } = readConfig(settings.worker, { ...complete, CREDENTIAL_KEYS: two });
  expect(CREDENTIAL_KEYS.map(({ id, key }) => [id, key.length])).toEqual([
    ["new", 32],
    ["k1", 32],
  ]);
});

test("addresses that are printed start where people reach the site", () => {
  const shared = readConfig(settings.shared, { ...complete, BASE_URL: "https://countersign.example.com/" });
  expect(baseUrl(shared)).toBe("https://countersign.example.com");
  expect(baseUrl(readConfig(settings.shared, { ...complete, PORT: "4000" }))).toBe("http://localhost:4000");
});

test(".env.example names every setting there is, and nothing else", () => {
  const example = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");
  const named = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
  const known = [settings.web, settings.worker].flatMap((schema) => Object.keys(schema.shape));
  expect([...named].sort()).toEqual([...new Set(known)].sort());
});

test(".env.example as it stands lacks only what is said to be required", () => {
  const example = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");
  const given = Object.fromEntries(
    [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  expect(readConfig(settings.web, { ...given, ...complete })).toBeDefined();
  expect(readConfig(settings.worker, { ...given, ...complete })).toBeDefined();
});

function complaintOf(schema: Parameters<typeof readConfig>[0], environment: NodeJS.ProcessEnv): string {
  try {
    readConfig(schema, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("Nothing was wrong with these settings.");
}
