import { describe, expect, test } from "@jest/globals";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import type { JsonObject, PolicyWrite } from "../../server/provider/port.ts";
import { anyTime } from "../helpers/callTime.ts";
import {
  carryOut,
  clientId,
  everyType,
  freePort,
  never,
  readAllPages,
  secret,
  someGroups,
  useSandbox,
  writable,
} from "./sandboxed.ts";

const openDirectory = useSandbox();
const everything = { ...writable, policies: 10, extras: everyType, groups: someGroups };

describe.each(policyTypes)("Of %s", (type) => {
  test("each policy, deleted and made anew, is as it was", async () => {
    const directory = await openDirectory({ ...everything, policies: 20 });
    const reader = directory.openReader();
    const writer = directory.openWriter();
    const [page] = await readAllPages(reader, type, never, { assignments: true });
    expect(page?.policies.length).toBeGreaterThan(1);
    for (const before of page?.policies ?? []) {
      await writer.write({ action: "delete", type, id: before.id, body: {} }, crypto.randomUUID(), anyTime);
      expect(await reader.readPolicy(type, before.id, never)).toBeNull();
      const { planWrites } = directory.provider.model;
      const id = await carryOut(writer, planWrites(type, before.normalised, before.assignments, null));
      const after = await reader.readPolicy(type, id, never);
      expect(id).not.toBe(before.id);
      expect(after?.normalised).toEqual(before.normalised);
      expect(after?.matchKey).toBe(before.matchKey);
      expect(targets(after?.assignments)).toEqual(targets(before.assignments));
    }
  });

  test("one is changed into what another is, and then takes no further call", async () => {
    const directory = await openDirectory(everything);
    const reader = directory.openReader();
    const [page] = await readAllPages(reader, type, never, { assignments: true });
    const [first, ...others] = page?.policies ?? [];
    const alike = others.filter((policy) => policy.odataType === first?.odataType);
    const pair = alike.length > 0 ? alike : first === undefined ? [] : [first];
    for (const wanted of pair) {
      const present = await reader.readPolicy(type, first?.id ?? "", never);
      if (present === null) throw new Error("The policy is gone");
      const { planWrites } = directory.provider.model;
      const desired = { ...wanted.normalised, description: `${wanted.name}, written anew` };
      const changed = type === "conditionalAccessPolicies" ? wanted.normalised : desired;
      await carryOut(
        directory.openWriter(),
        planWrites(type, changed, wanted.assignments, { id: present.id, present }),
      );
      const after = await reader.readPolicy(type, present.id, never);
      if (after === null) throw new Error("The policy is gone");
      expect(after.normalised).toEqual(changed);
      expect(targets(after.assignments)).toEqual(targets(wanted.assignments));
      expect(planWrites(type, changed, null, { id: after.id, present: after })).toEqual([]);
    }
  });
});

describe("A writing call", () => {
  const write: PolicyWrite = {
    action: "create",
    type: "roleScopeTags",
    id: null,
    body: { displayName: "Berlin", description: "" },
  };
  const tags = "/roleScopeTags";

  async function attempt(
    faults: Parameters<Awaited<ReturnType<typeof openDirectory>>["setFaults"]>,
    made = write,
  ) {
    const directory = await openDirectory({ ...writable, policies: 0 }, { callMs: 400 });
    await directory.setFaults(...faults);
    const outcome = await directory
      .openWriter()
      .write(made, crypto.randomUUID(), anyTime)
      .catch((error: unknown) => error);
    const writes = directory.requests("graph").map((request) => request.status);
    const done = await directory.control.listPolicies(directory.directoryId, "roleScopeTags");
    return { outcome, writes, done: done.length };
  }

  test("names the object it made, and travels under the key it was given", async () => {
    const directory = await openDirectory(writable);
    const key = crypto.randomUUID();
    const { id } = await directory.openWriter().write(write, key, anyTime);
    expect((await directory.openReader().readPolicy("roleScopeTags", id, never))?.name).toBe("Berlin");
    expect(directory.requests("graph")[0]).toMatchObject({ method: "POST", clientRequestId: key });
  });

  test.each([
    [{ status: 400 }, "rejected", false],
    [{ status: 404 }, "rejected", false],
    [{ status: 409 }, "rejected", false],
    [{ status: 408 }, "rejected", true],
    [{ status: 302 }, "malformed_answer", true],
    [{ status: 500 }, "unavailable", true],
    [{ status: 502 }, "unavailable", true],
    [{ status: 503, retryAfter: "4" }, "unavailable", true],
    [{ status: 504 }, "unavailable", true],
    [{ status: 429, retryAfter: "4" }, "unavailable", false],
    [{ status: 429 }, "unavailable", false],
  ])("answered %j is %s, may have happened: %s, and is sent once", async (answer, code, mayHaveHappened) => {
    const { outcome, writes } = await attempt([{ kind: "status", ...answer, path: tags }]);
    const retryAfterMs = "retryAfter" in answer ? 20 : null;
    expect(outcome).toMatchObject({ name: "ProviderError", code, mayHaveHappened, retryAfterMs });
    expect(writes).toEqual([answer.status]);
  });

  test.each([
    "html",
    "bad_json",
    "wrong_shape",
    "error_in_200",
    "stalled_body",
    "endless_body",
    "disconnect",
  ] as const)(
    "whose answer is lost (%s) after it was done may have happened, and is sent once",
    async (kind) => {
      const { outcome, writes, done } = await attempt([{ kind, path: tags, after: true }]);
      expect(outcome).toMatchObject({ name: "ProviderError", mayHaveHappened: true });
      expect(writes).toHaveLength(1);
      expect(done).toBe(1);
    },
  );

  test("for want of a role is a missing permission; that asks for approval says so; neither happened", async () => {
    const directory = await openDirectory();
    const refused = await directory
      .openWriter()
      .write(write, "k", anyTime)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "permission_missing", mayHaveHappened: false });
    const { outcome } = await attempt([{ kind: "approval_required", path: tags }]);
    expect(outcome).toMatchObject({ code: "approval_required", mayHaveHappened: false });
  });

  test("refused with a token that was revoked is sent again with a new one, under the same key", async () => {
    const directory = await openDirectory({ ...writable, policies: 0 });
    const writer = directory.openWriter();
    await writer.write(write, crypto.randomUUID(), anyTime);
    await directory.control.revokeTokens(directory.directoryId);
    const key = crypto.randomUUID();
    await writer.write({ ...write, body: { displayName: "Hamburg" } }, key, anyTime);
    const [, refused, repeated] = directory.requests("graph");
    expect([refused?.status, repeated?.status]).toEqual([401, 201]);
    expect([refused?.clientRequestId, repeated?.clientRequestId]).toEqual([key, key]);
  });

  test("refused twice for its token has not happened", async () => {
    const { outcome, writes } = await attempt([{ kind: "unauthorized", path: tags }]);
    expect(outcome).toMatchObject({ code: "credential_rejected", mayHaveHappened: false });
    expect(writes).toEqual([401, 401]);
  });

  test("refused for its token when no other can be had has not happened", async () => {
    const { outcome, writes } = await attempt([
      { kind: "unauthorized", path: tags },
      { kind: "status", status: 400, on: "token", skip: 1 },
    ]);
    expect(outcome).toMatchObject({ code: "unavailable", mayHaveHappened: false });
    expect(writes).toEqual([401]);
  });

  test("that could not get a token has not happened", async () => {
    const { outcome, writes } = await attempt([{ kind: "aadsts", code: 7000215 }]);
    expect(outcome).toMatchObject({ code: "credential_rejected", mayHaveHappened: false });
    expect(writes).toEqual([]);
  });

  test.each([
    { kind: "html" },
    { kind: "bad_json" },
    { kind: "opaque_token" },
    { kind: "aadsts", code: 50_001 },
  ] as const)(
    "for which only %j was to be had as a token is not refused for what it writes",
    async (fault) => {
      const { outcome, writes } = await attempt([{ on: "token", ...fault }]);
      expect(outcome).toMatchObject({ code: "unavailable", mayHaveHappened: false });
      expect(writes).toEqual([]);
    },
  );

  test("to where nobody listens has not happened", async () => {
    const directory = await openDirectory(writable);
    const provider = makeGraphProvider({
      graphUrl: `http://127.0.0.1:${await freePort()}`,
      loginUrl: directory.sandbox.url,
    });
    const proof = { kind: "secret", secret } as const;
    const refused = await provider
      .openWriter({ directoryId: directory.directoryId, clientId, proof })
      .write(write, crypto.randomUUID(), anyTime)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "unavailable", detail: "ECONNREFUSED", mayHaveHappened: false });
  });

  test("whose caller has given up already is not sent", async () => {
    const directory = await openDirectory(writable);
    const refused = await directory
      .openWriter()
      .write(write, crypto.randomUUID(), { ...anyTime, signal: AbortSignal.abort(new Error("withdrawn")) })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "unavailable", detail: "aborted", mayHaveHappened: false });
    expect(directory.sandbox.requests.list(directory.directoryId)).toHaveLength(0);
  });

  test.each([
    ["token", false],
    ["graph", true],
  ] as const)(
    "whose caller gives up while the %s call is under way may have happened: %s",
    async (on, mayHaveHappened) => {
      const directory = await openDirectory(writable);
      await directory.setFaults({ kind: "hold", on });
      const stop = new AbortController();
      const writing = directory
        .openWriter()
        .write(write, crypto.randomUUID(), { ...anyTime, signal: stop.signal })
        .catch((error: unknown) => error);
      await directory.sandbox.requests.next((request) => request.kind === on);
      stop.abort(new Error("withdrawn"));
      expect(await writing).toMatchObject({ code: "unavailable", detail: "aborted", mayHaveHappened });
    },
  );

  test("that is kept from being sent until its time is up is not sent, though no timer could fire yet", async () => {
    const directory = await openDirectory({ ...writable, policies: 0 });
    const writer = directory.openWriter();
    // The token is known and the connection stands: the next call is on the wire in the same turn.
    await writer.write(write, crypto.randomUUID(), anyTime);
    const end = performance.now() + 50;
    const time = { signal: AbortSignal.timeout(50), isUp: () => performance.now() >= end };
    const writing = writer
      .write({ ...write, body: { displayName: "Hamburg" } }, crypto.randomUUID(), time)
      .catch((error: unknown) => error);
    while (performance.now() < end + 50);
    expect(await writing).toMatchObject({ code: "unavailable", detail: "aborted", mayHaveHappened: false });
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test("without the id of what it is to change is a mistake of ours and not sent", async () => {
    const directory = await openDirectory(writable);
    const wrong: PolicyWrite = { ...write, action: "update" };
    await expect(directory.openWriter().write(wrong, "k", anyTime)).rejects.toThrow("needs the id");
    expect(directory.requests("graph")).toHaveLength(0);
  });
});

/** Assignments without their ids, which name the policy they belong to. */
function targets(assignments: JsonObject[] | null | undefined): unknown[] | null {
  return assignments?.map((assignment) => assignment.target) ?? null;
}
