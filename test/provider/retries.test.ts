import { describe, expect, test } from "@jest/globals";
import type { RequestRecord } from "../../server/demo/sandbox/requestLog.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import { backoff } from "../../server/provider/graph/retry.ts";
import { defaultTimings } from "../../server/provider/graph/timings.ts";
import { clientId, freePort, never, readAllPages, refusalOf, secret, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();
const tooMany = { kind: "status", status: 429 } as const;

describe("A throttled call", () => {
  test("waits the seconds that Retry-After names", async () => {
    const directory = await openDirectory({}, { secondMs: 40, backoffMs: 0 });
    await directory.setFaults({ ...tooMany, retryAfter: "5", times: 1 });
    await directory.openReader().readOrganization(never);
    expect(firstWait(directory.requests("graph"))).toBeGreaterThanOrEqual(195);
  });

  test("waits until the date that Retry-After names", async () => {
    const directory = await openDirectory({}, { secondMs: 2, backoffMs: 0 });
    const retryAfter = new Date(Date.now() + 100_000).toUTCString();
    await directory.setFaults({ ...tooMany, retryAfter, times: 1 });
    await directory.openReader().readOrganization(never);
    expect(firstWait(directory.requests("graph"))).toBeGreaterThanOrEqual(150);
  });

  test("waits no longer than the cap, whatever Retry-After says", async () => {
    const directory = await openDirectory({}, { secondMs: 1_000, retryAfterCapMs: 30 });
    await directory.setFaults({ ...tooMany, retryAfter: "86400", times: 1 });
    await directory.openReader().readOrganization(never);
    expect(firstWait(directory.requests("graph"))).toBeGreaterThanOrEqual(25);
  });

  test.each([undefined, "soon"])("goes on with Retry-After: %s", async (retryAfter) => {
    const directory = await openDirectory();
    await directory.setFaults({ ...tooMany, ...(retryAfter === undefined ? {} : { retryAfter }), times: 3 });
    const organization = await directory.openReader().readOrganization(never);
    expect(organization.directoryId).toBe(directory.directoryId);
    expect(directory.requests("graph").map((request) => request.status)).toEqual([429, 429, 429, 200]);
  });
});

test("Conditional Access, which takes one request at a time, is waited for at every call", async () => {
  const type = "conditionalAccessPolicies";
  const given = { policies: 0, extras: { [type]: 2 }, conditionalAccessLimit: 150 };
  const directory = await openDirectory(given, { secondMs: 160 });
  const reader = directory.openReader();
  const [page] = await readAllPages(reader, type);
  for (const { id, name } of page?.policies ?? [])
    expect((await reader.readPolicy(type, id, never))?.name).toBe(name);
  const statuses = directory.requests("graph").map((request) => request.status);
  expect(statuses).toEqual([200, 429, 200, 429, 200]);
});

test("Waits that nobody named are together longer than the second between requests of Conditional Access", () => {
  for (let n = 0; n < 200; n += 1) {
    const waits = [1, 2, 3].map((attempt) => backoff(attempt, defaultTimings));
    expect(waits.reduce((sum, ms) => sum + ms)).toBeGreaterThan(1_000);
  }
});

describe("A call", () => {
  test("whose connection breaks is tried again", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "disconnect", times: 2 });
    const organization = await directory.openReader().readOrganization(never);
    expect(organization.directoryId).toBe(directory.directoryId);
    expect(directory.requests("graph").map((request) => request.status)).toEqual([null, null, 200]);
  });

  test("whose body never ends within its time is tried again, then unavailable", async () => {
    const directory = await openDirectory({}, { callMs: 100 });
    await directory.setFaults({ kind: "stalled_body" });
    const refusal = await refusalOf(directory.openReader().readOrganization(never));
    expect(refusal.code).toBe("unavailable");
    expect(directory.requests("graph")).toHaveLength(4);
  });

  test("that is slow but within its time succeeds", async () => {
    const directory = await openDirectory({}, { callMs: 5_000 });
    await directory.setFaults({ kind: "latency", ms: 120 });
    await directory.openReader().readOrganization(never);
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("to where nobody listens is unavailable and says which network error it was", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const provider = makeGraphProvider({ graphUrl: url, loginUrl: url, timings: { backoffMs: 1 } });
    const reader = provider.openReader({ directoryId: "d", clientId, proof: { kind: "secret", secret } });
    const refusal = await refusalOf(reader.readOrganization(never));
    expect(refusal).toMatchObject({ code: "unavailable", detail: "ECONNREFUSED" });
  });
});

describe("The caller's abort", () => {
  const reason = new Error("authority withdrawn");

  test("before anything was asked prevents every call", async () => {
    const directory = await openDirectory();
    const listing = readAllPages(directory.openReader(), "deviceConfigurations", AbortSignal.abort(reason));
    await expect(listing).rejects.toBe(reason);
    expect(directory.sandbox.requests.list(directory.directoryId)).toHaveLength(0);
  });

  test.each(["token", "graph"] as const)("ends a %s call under way with its own reason, once", async (on) => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "hold", on });
    const stop = new AbortController();
    const listing = readAllPages(directory.openReader(), "deviceConfigurations", stop.signal);
    await directory.sandbox.requests.next((request) => request.kind === on);
    stop.abort(reason);
    await expect(listing).rejects.toBe(reason);
    expect(directory.requests(on)).toHaveLength(1);
  });

  test("ends a stalled body with its own reason", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "stalled_body" });
    const stop = new AbortController();
    const reading = directory.openReader().readOrganization(stop.signal);
    await directory.sandbox.requests.next((request) => request.kind === "graph");
    stop.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });

  test("ends a wait between attempts", async () => {
    const directory = await openDirectory({}, { secondMs: 1_000 });
    await directory.setFaults({ ...tooMany, retryAfter: "100" });
    const stop = new AbortController();
    const reading = directory.openReader().readOrganization(stop.signal);
    await directory.sandbox.requests.next((request) => request.status === 429);
    // Another round trip: by its end the answer before it has reached the reader, which now waits.
    await directory.control.requests(directory.directoryId);
    stop.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("while settings are read for several policies ends them all", async () => {
    const directory = await openDirectory({ policies: 40 });
    await directory.setFaults({ kind: "hold", path: "/settings" });
    const stop = new AbortController();
    const listing = readAllPages(directory.openReader(), "configurationPolicies", stop.signal);
    await directory.sandbox.requests.next((request) => request.path.endsWith("/settings"));
    stop.abort(reason);
    await expect(listing).rejects.toBe(reason);
    expect(directory.requests("graph").length).toBeLessThanOrEqual(5);
  });
});

/** Milliseconds between the first two requests. */
function firstWait([first, second]: RequestRecord[]): number {
  return (second?.time ?? Number.NaN) - (first?.time ?? Number.NaN);
}
