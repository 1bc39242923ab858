import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import { errorFromGraph } from "../../server/provider/graph/graphErrors.ts";
import { clientId, never, readAllPages, refusalOf, secret, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();

describe("A refusal by Graph", () => {
  test("for want of a role is told in Intune's innermost words, without internal addresses", async () => {
    const directory = await openDirectory({
      apps: [{ clientId, secret, secretState: "valid", roles: ["Organization.Read.All"] }],
    });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal).toMatchObject({ code: "permission_missing", detail: "Forbidden" });
    expect(refusal.message).toContain("DeviceManagementConfiguration.Read.All");
    expect(refusal.message).not.toMatch(/https?:|Url:|[{}]|_version/);
  });

  test("keeps the request id of the very answer", async () => {
    const directory = await openDirectory({
      apps: [{ clientId, secret, secretState: "valid", roles: [] }],
    });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    // Intune quotes the same id inside its nested message.
    expect(refusal.message).toContain(`Activity ID: ${refusal.requestId}`);
  });

  test("of the organization for want of a role is a missing permission", async () => {
    const directory = await openDirectory({
      apps: [{ clientId, secret, secretState: "valid", roles: [] }],
    });
    const refusal = await refusalOf(directory.openReader().readOrganization(never));
    expect(refusal).toMatchObject({ code: "permission_missing", detail: "Authorization_RequestDenied" });
  });

  test("that asks for a second administrator is approval required", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "approval_required" });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal.code).toBe("approval_required");
    expect(directory.requests("graph")).toHaveLength(1);
  });

  test.each([
    [400, "rejected", 1],
    [404, "rejected", 1],
    [409, "rejected", 1],
    [302, "malformed_answer", 1],
    [500, "unavailable", 1],
    [429, "unavailable", 4],
    [502, "unavailable", 4],
    [503, "unavailable", 4],
    [504, "unavailable", 4],
  ])("with status %d is %s after %d attempts", async (status, code, attempts) => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "status", status });
    const refusal = await refusalOf(directory.openReader().readOrganization(never));
    expect(refusal).toMatchObject({ code, detail: `Status${status}` });
    expect(directory.requests("graph")).toHaveLength(attempts);
  });

  test("in a message of nothing but spaces is told in no time", async () => {
    const directory = await openDirectory();
    const message = `Refused${" ".repeat(2_500)}${"- Url: ".repeat(500)}https://internal.example`;
    await directory.setFaults({ kind: "status", status: 400, message });
    const begun = performance.now();
    const refusal = await refusalOf(directory.openReader().readOrganization(never));
    // Tried every way to share out the spaces, it takes seconds; at twice as many, minutes.
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(refusal.message).toMatch(/^Refused/);
    expect(refusal.message).not.toContain("internal.example");
  });

  test("keeps no request id that is not one", () => {
    const text = JSON.stringify({ error: { innerError: { "request-id": `eyJ.${"x".repeat(5_000)}` } } });
    const refusal = errorFromGraph({ status: 400, headers: new Headers(), text });
    expect(refusal.requestId).toBeNull();
  });

  test("while the settings of one policy are read ends the listing and stops the other calls", async () => {
    const directory = await openDirectory({ policies: 40 });
    await directory.setFaults(
      { kind: "approval_required", path: "/settings", skip: 3, times: 1 },
      { kind: "hold", path: "/settings" },
    );
    const refusal = await refusalOf(readAllPages(directory.openReader(), "configurationPolicies"));
    expect(refusal).toMatchObject({ code: "approval_required", detail: "Forbidden" });
    expect(directory.requests("graph")).toHaveLength(5);
  });
});

const onToken = { on: "token" } as const;
const everyFailure: FaultInput[] = [
  { kind: "token_quoted" },
  { kind: "unauthorized" },
  { kind: "approval_required" },
  { kind: "status", status: 503 },
  { kind: "disconnect" },
  { kind: "stalled_body" },
  { kind: "html" },
  { kind: "bad_json" },
  { kind: "wrong_shape" },
  { kind: "foreign_next_link" },
  { kind: "opaque_token" },
  { kind: "foreign_tid", tid: crypto.randomUUID() },
  { kind: "aadsts", code: 7000215 },
  { kind: "disconnect", ...onToken },
  { kind: "stalled_body", ...onToken },
  { kind: "html", ...onToken },
  { kind: "bad_json", ...onToken },
  { kind: "wrong_shape", ...onToken },
];

describe("An error", () => {
  test.each(everyFailure)("after %o holds neither secret nor token", async (fault) => {
    const directory = await openDirectory({}, { callMs: 300 });
    await directory.setFaults(fault);
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    const everything = inspect(refusal, { depth: null, showHidden: true, getters: true });
    expect(everything).toContain(refusal.code);
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(encodeURIComponent(secret));
    expect(everything).not.toMatch(/eyJ|an-opaque-token|client_secret|[Bb]earer ey/);
  });
});
