import { createHash, X509Certificate } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { importPKCS8, SignJWT } from "jose";
import type { rolesOf } from "../../server/provider/policyTypes.ts";
import { makeCertificate, type TestCertificate } from "../helpers/certificates.ts";
import { openCaller, requestToken } from "./sandboxCalls.ts";
import { clientId, readRoles, secret, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();
const open = (definition: Parameters<typeof openCaller>[1] = {}) => openCaller(openDirectory, definition);

const extras = {
  assignmentFilters: 2,
  roleScopeTags: 2,
  groupPolicyConfigurations: 3,
  deviceManagementScripts: 3,
  conditionalAccessPolicies: 6,
};
const groups = [
  { id: "g1", displayName: "All staff" },
  { id: "g2", displayName: "Kiosks" },
  { id: "g3", displayName: "Kiosks" },
  { id: "g4", displayName: "O'Brien's team" },
  { id: "g5", displayName: "Emergency access accounts" },
];
const root = "/beta/deviceManagement";

describe("Generated policies", () => {
  test("of the further types are there in the number asked for, and no others", async () => {
    const { directoryId, control } = await open({ policies: 10, extras });
    const count = async (type: keyof typeof rolesOf) =>
      (await control.listPolicies(directoryId, type)).length;
    expect(await count("conditionalAccessPolicies")).toBe(6);
    expect(await count("deviceConfigurations")).toBe(4);
    await control.setExtras(directoryId, { conditionalAccessPolicies: 1, deviceManagementScripts: 0 });
    expect(await count("conditionalAccessPolicies")).toBe(1);
    expect(await count("deviceManagementScripts")).toBe(0);
    expect(await count("groupPolicyConfigurations")).toBe(3);
    await control.setPolicies(directoryId, 20);
    expect([await count("deviceConfigurations"), await count("conditionalAccessPolicies")]).toEqual([8, 1]);
  });

  test("are assigned to groups where there are any, and Conditional Access names them", async () => {
    // So many that by chance alone none of them would leave a group out once in a billion times.
    const { directoryId, control } = await open({ policies: 200, extras, groups });
    const policies = await control.listPolicies(directoryId, "configurationPolicies");
    const assigned = policies.filter(({ assignments }) => assignments.length > 0);
    expect(assigned.length).toBeGreaterThan(policies.length / 2);
    expect(JSON.stringify(assigned)).toContain("exclusionGroupAssignmentTarget");
    const access = await control.listPolicies(directoryId, "conditionalAccessPolicies");
    for (const { payload } of access)
      expect(payload).toHaveProperty("conditions.users.excludeGroups", ["g5"]);
  });
});

describe("A listing", () => {
  test("of scripts is without their content, which each gives by itself", async () => {
    const caller = await open({ extras });
    const listed = await caller.call("GET", `${root}/deviceManagementScripts`);
    const [script] = JSON.parse(listed.text).value;
    expect(script.scriptContent).toBeNull();
    const one = await caller.call("GET", `${root}/deviceManagementScripts/${script.id}`);
    expect(one.body).toMatchObject({ id: script.id, scriptContent: expect.stringMatching(/^[\w+/]+=*$/) });
  });

  test("of administrative templates is without their values, and those without what they are of", async () => {
    const caller = await open({ extras });
    const listed = await caller.call("GET", `${root}/groupPolicyConfigurations`);
    const [template] = JSON.parse(listed.text).value;
    expect(template).not.toHaveProperty("definitionValues");
    const values = await caller.call(
      "GET",
      `${root}/groupPolicyConfigurations/${template.id}/definitionValues`,
    );
    expect(JSON.parse(values.text).value[0]).not.toHaveProperty("definition");
    expect(JSON.parse(values.text).value[0]).not.toHaveProperty("presentationValues");
  });

  test("is narrowed to the properties selected, and holds assignments where asked for", async () => {
    const caller = await open({ policies: 10, groups });
    const address = `${root}/configurationPolicies`;
    const narrow = JSON.parse((await caller.call("GET", `${address}?$select=id,name`)).text).value;
    expect(Object.keys(narrow[0]).sort()).toEqual(["id", "name"]);
    const wide = JSON.parse((await caller.call("GET", `${address}?$expand=assignments`)).text).value;
    expect(wide[0]).toHaveProperty("assignments");
  });

  test("of what may only be read is given to those who may: devices and template definitions", async () => {
    const caller = await open({ roles: ["DeviceManagementManagedDevices.Read.All", ...readRoles] });
    const devices = await caller.call("GET", "/v1.0/deviceManagement/managedDevices?$top=5");
    expect(JSON.parse(devices.text)).toMatchObject({
      value: { length: 5 },
      "@odata.nextLink": expect.anything(),
    });
    const definitions = await caller.call("GET", `${root}/groupPolicyDefinitions`);
    const [{ id }] = JSON.parse(definitions.text).value;
    expect((await caller.call("GET", `${root}/groupPolicyDefinitions/${id}/presentations`)).status).toBe(200);
    await caller.refusal(405, "POST", "/v1.0/organization", {});
  });
});

describe("Groups", () => {
  test("are found by their id, and by a name that may be that of several", async () => {
    const caller = await open({ groups });
    const named = async (filter: string) => {
      const answer = await caller.call("GET", `/v1.0/groups?$filter=${encodeURIComponent(filter)}`);
      return JSON.parse(answer.text).value.map(({ id }: { id: string }) => id);
    };
    expect((await caller.call("GET", "/v1.0/groups/g1")).body).toMatchObject({ displayName: "All staff" });
    await caller.refusal(404, "GET", "/v1.0/groups/g9");
    expect(await named("displayName eq 'Kiosks'")).toEqual(["g2", "g3"]);
    expect(await named("displayName eq 'o''brien''s team' or displayName eq 'All staff'")).toEqual([
      "g1",
      "g4",
    ]);
    expect(await named("id in ('g1','g5')")).toEqual(["g1", "g5"]);
    expect(await named("displayName eq 'Nobody'")).toEqual([]);
    await caller.refusal(400, "GET", "/v1.0/groups?$filter=startswith(displayName,'K')");
  });

  test("come and go by the control path", async () => {
    const caller = await open();
    await caller.control.putGroup(caller.directoryId, { id: "g1", displayName: "Later" });
    expect((await caller.call("GET", "/v1.0/groups/g1")).body).toMatchObject({ displayName: "Later" });
    await caller.control.removeGroup(caller.directoryId, "g1");
    await caller.refusal(404, "GET", "/v1.0/groups/g1");
  });
});

test.each([
  ["Group.Read.All", "/v1.0/groups", /^Insufficient privileges/],
  ["Organization.Read.All", "/v1.0/organization", /^Insufficient privileges/],
  ["Policy.Read.All", "/v1.0/identity/conditionalAccess/policies", /^You cannot perform/],
  [
    "DeviceManagementScripts.Read.All",
    `${root}/deviceManagementScripts`,
    /^Intune: Application is not authorized/,
  ],
  [
    "DeviceManagementConfiguration.Read.All",
    `${root}/assignmentFilters`,
    /^Intune: Application is not authorized/,
  ],
])("Without %s, %s is refused", async (role, path, message) => {
  const lacking = await open({ roles: readRoles.filter((each) => each !== role) });
  expect(await lacking.refusal(403, "GET", path)).toMatch(message);
  const granted = await open({ roles: [role] });
  expect((await granted.call("GET", path)).status).toBe(200);
});

describe("A batch", () => {
  const get = (id: string, url: string) => ({ id, method: "GET", url });

  test("answers each request with its own status, in another order, and logs them all", async () => {
    const caller = await open({ groups });
    const requests = [
      get("a", "/groups/g1"),
      get("b", "/groups/g9"),
      { ...get("c", "/groups"), method: "POST", body: {}, headers: { "content-type": "application/json" } },
    ];
    const answer = await caller.call("POST", "/v1.0/$batch", { requests });
    expect(answer.body).toMatchObject({
      responses: [
        { id: "c", status: 405 },
        { id: "b", status: 404, body: { error: { code: "Request_ResourceNotFound" } } },
        { id: "a", status: 200, body: { displayName: "All staff" } },
      ],
    });
    const logged = caller.requests("graph").map(({ path, inBatch }) => [path, inBatch]);
    expect(logged.sort()).toEqual([
      ["/v1.0/$batch", false],
      ["/v1.0/groups", true],
      ["/v1.0/groups/g1", true],
      ["/v1.0/groups/g9", true],
    ]);
  });

  test("writes and follows roles and faults as single calls do", async () => {
    const caller = await open({ roles: readRoles });
    await caller.setFaults({ kind: "status", status: 429, retryAfter: "7", path: "/roleScopeTags" });
    const write = { id: "w", method: "POST", url: "/deviceManagement/assignmentFilters" };
    const json = { "content-type": "application/json" };
    const requests = [{ ...write, body: {}, headers: json }, get("r", "/deviceManagement/roleScopeTags")];
    const { body } = await caller.call("POST", "/beta/$batch", { requests });
    expect(body).toMatchObject({
      responses: [
        { id: "r", status: 429, headers: { "retry-after": "7" } },
        { id: "w", status: 403 },
      ],
    });
  });

  test("is refused with more than twenty, with ids twice, and within another", async () => {
    const caller = await open();
    const many = Array.from({ length: 21 }, (_, index) => get(String(index), "/organization"));
    expect((await caller.call("POST", "/v1.0/$batch", { requests: many.slice(1) })).status).toBe(200);
    const twice = [get("a", "/groups"), get("a", "/groups")];
    for (const requests of [many, twice, [get("a", "/$batch")], [get("a", "groups")]])
      await caller.refusal(400, "POST", "/v1.0/$batch", { requests });
  });
});

describe("An app with a certificate", () => {
  const registered = makeCertificate();

  test.each([
    ["is let in with an assertion signed by its key", {}, 200],
    ["is refused with a certificate that is not registered", { pair: makeCertificate() }, 700027],
    [
      "is refused with another's key",
      { pair: { ...registered, privateKey: makeCertificate().privateKey } },
      700027,
    ],
    ["is refused with an assertion for elsewhere", { audience: "https://elsewhere.example" }, 700027],
    ["is refused with an assertion of another app", { issuer: "another" }, 700027],
    ["is refused with an assertion that is too old", { expiresAt: 1_000 }, 700027],
    ["is refused with another algorithm", { alg: "RS256" }, 700027],
  ])("%s", async (_what, given, expected) => {
    const app = { clientId, secret, secretState: "valid" as const, roles: readRoles };
    const certificates = [makeCertificate().certificate, registered.certificate];
    const { directoryId, sandbox } = await openDirectory({ apps: [{ ...app, certificates }] });
    const audience = `${sandbox.url}/${directoryId}/oauth2/v2.0/token`;
    const assertion = await assert({ pair: registered, audience, issuer: clientId, alg: "PS256", ...given });
    const answer = await requestToken(sandbox.url, directoryId, {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion,
    });
    const body = JSON.parse(await answer.text());
    expect(answer.status === 200 ? 200 : body.error_codes[0]).toBe(expected);
  });

  test("that has expired is refused", async () => {
    const pair = makeCertificate({ expiresAt: new Date(Date.now() - 1_000) });
    const app = { clientId, secret, secretState: "valid" as const, roles: readRoles };
    const { directoryId, sandbox } = await openDirectory({
      apps: [{ ...app, certificates: [pair.certificate] }],
    });
    const audience = `${sandbox.url}/${directoryId}/oauth2/v2.0/token`;
    const answer = await requestToken(sandbox.url, directoryId, {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await assert({ pair, audience, issuer: clientId, alg: "PS256" }),
    });
    expect(await answer.text()).toContain("AADSTS700027");
  });

  async function assert(given: {
    pair: TestCertificate;
    audience: string;
    issuer: string;
    alg: string;
    expiresAt?: number;
  }): Promise<string> {
    const { pair, audience, issuer, alg } = given;
    const { raw } = new X509Certificate(pair.certificate);
    const thumbprint = createHash("sha256").update(raw).digest("base64url");
    return new SignJWT({})
      .setProtectedHeader({ alg, "x5t#S256": thumbprint })
      .setIssuer(issuer)
      .setSubject(issuer)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(given.expiresAt ?? "5 minutes")
      .sign(await importPKCS8(pair.privateKey, alg));
  }
});
