import { inspect } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { makeCertificate, type TestCertificate } from "../helpers/certificates.ts";
import { clientId, never, readAllPages, readRoles, refusalOf, secret, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();

describe("A token", () => {
  test("is asked for once per reader and used for everything it reads", async () => {
    const directory = await openDirectory({ policies: 40 });
    const reader = directory.openReader();
    await readAllPages(reader, "configurationPolicies");
    await readAllPages(reader, "deviceConfigurations");
    expect(directory.requests("token")).toHaveLength(1);
  });

  test("is not asked for before the reader is used", async () => {
    const directory = await openDirectory();
    directory.openReader();
    expect(directory.requests("token")).toHaveLength(0);
  });

  test("says which directory and which roles were granted, and is fresh each time", async () => {
    const directory = await openDirectory();
    const reader = directory.openReader();
    const before = await reader.readGrantedAccess(never);
    await directory.control.setApp(directory.directoryId, {
      clientId,
      secret,
      secretState: "valid",
      roles: [],
    });
    const after = await reader.readGrantedAccess(never);
    expect(before).toEqual({ directoryId: directory.directoryId, roles: readRoles });
    expect(after).toEqual({ directoryId: directory.directoryId, roles: [] });
  });

  test("that was revoked is replaced once, and the listing goes on", async () => {
    const directory = await openDirectory({ policies: 600 });
    const pages = directory.openReader().listPolicies("deviceConfigurations", never)[Symbol.asyncIterator]();
    await pages.next();
    await directory.control.revokeTokens(directory.directoryId);
    const second = await pages.next();
    expect(second.value?.number).toBe(2);
    expect(directory.requests("token")).toHaveLength(2);
    expect(directory.requests("graph").map((request) => request.status)).toEqual([200, 401, 200]);
  });

  test("that is revoked while four calls are under way is replaced once for all of them", async () => {
    const directory = await openDirectory({ policies: 40 });
    await directory.setFaults({ kind: "unauthorized", path: "/settings", times: 4 });
    const [page] = await readAllPages(directory.openReader(), "configurationPolicies");
    expect(page?.policies).toHaveLength(16);
    expect(directory.requests("graph").filter((request) => request.status === 401)).toHaveLength(4);
  });

  test("refused twice means that the credential is rejected", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "unauthorized" });
    const refusal = await refusalOf(readAllPages(directory.openReader(), "deviceConfigurations"));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "InvalidAuthenticationToken" });
    expect(directory.requests("token")).toHaveLength(2);
    expect(directory.requests("graph")).toHaveLength(2);
  });

  test("of another directory is never used", async () => {
    const directory = await openDirectory();
    const tid = crypto.randomUUID();
    await directory.setFaults({ kind: "foreign_tid", tid });
    const reader = directory.openReader();
    expect(await reader.readGrantedAccess(never)).toEqual({ directoryId: tid, roles: [] });
    const refusal = await refusalOf(reader.readOrganization(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "wrong_tid" });
    expect(directory.requests("graph")).toHaveLength(0);
  });

  test("that is not a JWT is a malformed answer", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "opaque_token" });
    const refusal = await refusalOf(directory.openReader().readGrantedAccess(never));
    expect(refusal.code).toBe("malformed_answer");
  });

  test("asked for in two listings at once is not lost to one of them when the other is aborted", async () => {
    const directory = await openDirectory({ policies: 40 });
    await directory.setFaults({ kind: "hold", on: "token" });
    const reader = directory.openReader();
    const stop = new AbortController();
    const aborted = readAllPages(reader, "deviceConfigurations", stop.signal);
    const kept = readAllPages(reader, "deviceCompliancePolicies");
    while (directory.requests("token").length < 2) await directory.sandbox.requests.next(() => true);
    stop.abort(new Error("taken back"));
    await expect(aborted).rejects.toThrow("taken back");
    await directory.control.clearFaults(directory.directoryId);
    expect((await kept)[0]?.policies).toHaveLength(8);
  });
});

describe("The identity provider's refusal", () => {
  test("of a wrong secret rejects the credential", async () => {
    const directory = await openDirectory();
    const refusal = await refusalOf(directory.openReader({ clientSecret: "wrong" }).readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "AADSTS7000215" });
    expect(refusal.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(directory.requests("token")).toHaveLength(1);
  });

  test("of an expired secret rejects the credential", async () => {
    const directory = await openDirectory({
      apps: [{ clientId, secret, secretState: "expired", roles: readRoles }],
    });
    const refusal = await refusalOf(directory.openReader().readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "AADSTS7000222" });
  });

  test("of an unknown application rejects the credential", async () => {
    const directory = await openDirectory();
    const reader = directory.openReader({ clientId: crypto.randomUUID() });
    const refusal = await refusalOf(reader.readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "AADSTS700016" });
  });

  test("of an unknown directory rejects the credential", async () => {
    const directory = await openDirectory();
    const reader = directory.openReader({ directoryId: crypto.randomUUID() });
    const refusal = await refusalOf(reader.readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "AADSTS90002" });
  });

  test.each([
    [700027, "credential_rejected"],
    [7000112, "credential_rejected"],
    [7000229, "credential_rejected"],
    [53003, "approval_required"],
    [90033, "unavailable"],
    [50105, "rejected"],
  ])("with AADSTS%d is %s", async (code, expected) => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "aadsts", code });
    const refusal = await refusalOf(directory.openReader().readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: expected, detail: `AADSTS${code}` });
    // For want of a token a call is not made; what nobody knows the meaning of is no refusal of the call.
    const lack = await refusalOf(directory.openReader().readOrganization(never));
    expect(lack.code).toBe(expected === "rejected" ? "unavailable" : expected);
    expect(directory.requests("graph")).toHaveLength(0);
  });

  test("for the moment is waited out", async () => {
    const directory = await openDirectory();
    await directory.setFaults({ kind: "status", status: 503, on: "token", times: 2 });
    const access = await directory.openReader().readGrantedAccess(never);
    expect(access.directoryId).toBe(directory.directoryId);
    expect(directory.requests("token").map((request) => request.status)).toEqual([503, 503, 200]);
  });

  test.each(["html", "bad_json", "wrong_shape", "error_in_200", "endless_body"] as const)(
    "that cannot be read (%s) is a malformed answer",
    async (kind) => {
      const directory = await openDirectory();
      await directory.setFaults({ kind, on: "token" });
      const refusal = await refusalOf(directory.openReader().readGrantedAccess(never));
      expect(refusal.code).toBe("malformed_answer");
    },
  );
});

describe("A certificate", () => {
  const pair = makeCertificate();

  test("proves who we are where the application has it registered", async () => {
    const { directory, open } = await openWithCertificates([makeCertificate().certificate, pair.certificate]);
    const access = await open(pair).readGrantedAccess(never);
    expect(access).toEqual({ directoryId: directory.directoryId, roles: readRoles });
    expect((await open(pair).readOrganization(never)).directoryId).toBe(directory.directoryId);
  });

  test("that is not registered rejects the credential", async () => {
    const { open } = await openWithCertificates([makeCertificate().certificate]);
    const refusal = await refusalOf(open(pair).readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "AADSTS700027" });
  });

  test("that is not its key's rejects the credential before anything is asked", async () => {
    const { directory, open } = await openWithCertificates([pair.certificate]);
    const broken = { ...pair, privateKey: makeCertificate().privateKey };
    const refusal = await refusalOf(open(broken).readGrantedAccess(never));
    expect(refusal).toMatchObject({ code: "credential_rejected", detail: "unusable_certificate" });
    expect(inspect(refusal, { depth: null, showHidden: true })).not.toContain("PRIVATE KEY");
    expect(directory.requests("token")).toHaveLength(0);
  });

  async function openWithCertificates(certificates: string[]) {
    const app = { clientId, secret, secretState: "valid", certificates, roles: readRoles } as const;
    const directory = await openDirectory({ apps: [app] });
    const { directoryId, provider } = directory;
    const open = (pem: TestCertificate) =>
      provider.openReader({ directoryId, clientId, proof: { kind: "certificate", ...pem } });
    return { directory, open };
  }
});
