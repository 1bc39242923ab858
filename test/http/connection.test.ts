import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { findCredential } from "../../server/domain/connections/findCredential.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import { type Browser, makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { makeCertificate } from "../helpers/certificates.ts";
import { getConnection } from "../helpers/connections.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  type TestConnection,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { requestAs } from "../helpers/northwind.ts";
import { credentialKeys } from "../helpers/queue.ts";

const database = useDatabase();
const application = "0f8fad5b-d9cb-469f-a165-70867728950e";
const value = "kept~Very.Secret";
const lines: string[] = [];

let app: TestApp;
let workspace: TestWorkspace;
let mia: TestUser;
let contoso: TestTenant;
let connection: TestConnection;
let browser: Browser;

beforeAll(() => {
  app = makeApp(database.db, {}, { write: (line) => void lines.push(line) });
});

beforeEach(async () => {
  const { db } = database;
  workspace = await createWorkspace(db, { name: "Northwind" });
  mia = await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" });
  contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  connection = await createConnection(db, { tenant: contoso });
  const proof = { kind: "secret", secret: "the-first~secret" } as const;
  await db.transaction((tx) =>
    storeCredential(tx, credentialKeys, { connectionId: connection.id, version: 1, proof }),
  );
  browser = await signIn(app, mia.email);
});

const page = () => `/admin/tenants/${contoso.id}/connection`;
const tenantPage = () => `/admin/tenants/${contoso.id}`;
const send = (fields: Record<string, string>) =>
  submit(browser, page(), page(), { client_id: application, kind: "secret", ...fields });
const set = (columns: string, ...values: unknown[]) =>
  database.db.query(`update provider_connections set ${columns} where id = $1`, [connection.id, ...values]);

describe("the page", () => {
  test("says what is stored and what it allows, and never what is sealed", async () => {
    await set("granted_roles = $2", ["DeviceManagementConfiguration.ReadWrite.All", "Organization.Read.All"]);
    const { text } = await browser.get(page());
    expect(text).toContain("The connection of Contoso Retail is verified");
    expect(text).toContain("Client secret");
    expect(text).toContain("not known, so nobody will be warned");
    expect(text).toContain("6 of 8 types");
    expect(text).toContain("<code>DeviceManagementScripts.ReadWrite.All</code>");
    expect(text).toContain("<li><code>Organization.Read.All</code></li>");
    expect(text).not.toContain("the-first~secret");
  });

  test("does not call missing what nobody has looked for yet", async () => {
    await set("status = 'unverified', verified_at = null, verified_version = null");
    const { text } = await browser.get(page());
    expect(text).toContain("What is granted is not known until the connection is verified.");
    expect(text).not.toContain(">Missing<");
    expect(text).toContain(">Verify connection</button>");
  });

  test("of a tenant without any connection offers to enter a credential", async () => {
    contoso = await createTenant(database.db, { workspace, name: "Litware" });
    const { text } = await browser.get(page());
    expect(text).toContain("Litware has no credential");
    expect(text).toContain("Enter a credential");
    expect((await send({ secret: value })).status).toBe(303);
    expect((await browser.get(page())).text).toContain(
      "The new credential is stored. Verify the connection now.",
    );
  });

  test("says beforehand what a new credential stops", async () => {
    await requestAs(database.db, mia, "inventory.sync", contoso);
    expect((await browser.get(page())).text).toContain(
      "Replacing the credential will block 1 queued run in 1 tenant.",
    );
    await send({ secret: value });
    expect((await browser.get(page())).text).toContain("It blocks 1 queued run in 1 tenant");
  });
});

describe("a new credential", () => {
  test("is stored, leaves the connection unverified, and leads back to the page with the next step", async () => {
    const answer = await send({ secret: ` ${value}\n`, expires_on: "2099-03-31" });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe(page());
    const { text } = await browser.get(page());
    expect(text).toContain("The new credential is stored. Verify the connection now.");
    expect(text).toContain("The connection of Contoso Retail is not verified");
    expect(text).not.toContain(value);
    expect(await getConnection(database.db, connection.id)).toMatchObject({
      status: "unverified",
      credentialVersion: 2,
    });
    expect(await findCredential(database.db, credentialKeys, connection.id)).toMatchObject({
      clientId: application,
      proof: { kind: "secret", secret: value },
    });
  });

  test("may be a certificate, of which the page then shows whose it is and when it ends", async () => {
    const made = makeCertificate({ expiresAt: new Date(Date.now() + 12.5 * 86_400_000) });
    const answer = await send({
      kind: "certificate",
      certificate: made.certificate,
      private_key: made.privateKey,
    });
    expect(answer.status).toBe(303);
    const { text } = await browser.get(page());
    expect(text).toContain("<dd>Certificate</dd>");
    expect(text).toContain("CN=countersign-test");
    expect(text).toMatch(/<code>[0-9A-F]{40}<\/code>/);
    expect(text).toContain("Credential expires in 12 days");
    expect(text).not.toContain("PRIVATE KEY-----\n");
  });

  test("that cannot be used comes back by field, with all that is no secret", async () => {
    const answer = await send({ secret: value, expires_on: "2001-01-01" });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('id="expires_on-problem">The day must lie in the future.');
    expect(answer.text).toContain(`value="${application}"`);
    expect(answer.text).toContain('value="2001-01-01"');
    expect(answer.text).not.toContain(value);
    expect(await getConnection(database.db, connection.id)).toMatchObject({ credentialVersion: 1 });
  });

  test("names a day that is none", async () => {
    const answer = await send({ secret: value, expires_on: "2026-02-31" });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Enter the day as year-month-day");
  });

  test("of which the certificate can be used and the key cannot keeps the certificate only", async () => {
    const [one, other] = [makeCertificate(), makeCertificate()];
    const answer = await send({
      kind: "certificate",
      certificate: `${one.certificate}${one.privateKey}`,
      private_key: other.privateKey,
    });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("The private key does not belong to the certificate.");
    expect(answer.text).toContain(one.certificate.trim().split("\n")[1]);
    for (const key of [one.privateKey, other.privateKey])
      expect(answer.text).not.toContain(key.split("\n")[1]);
    expect(answer.text).toMatch(/id="kind-certificate"[^>]* checked/);
  });

  test("pasted into the wrong field is not shown there either", async () => {
    const { privateKey } = makeCertificate();
    const answers = [
      await send({ client_id: value, secret: "" }),
      await send({ kind: "certificate", certificate: privateKey, private_key: "" }),
    ];
    for (const { status, text } of answers) {
      expect(status).toBe(422);
      expect(text).not.toContain(value);
      expect(text).not.toContain(privateKey.split("\n")[1]);
    }
  });

  test.each([
    ["too long for a key", 33_000, 422],
    ["too long for the page", 120_000, 413],
  ])("%s is refused in plain words", async (_name, length, status) => {
    const answer = await send({ kind: "certificate", certificate: "x", private_key: "k".repeat(length) });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("kkkk");
  });

  test("of a kind that does not exist is not understood", async () => {
    expect((await send({ kind: "password" })).status).toBe(422);
  });

  test("is in no log, whether it was taken or not", async () => {
    const chatty: string[] = [];
    const other = makeApp(database.db, {}, { write: (line) => void chatty.push(line) }, "trace");
    browser = await signIn(other, mia.email);
    await send({ secret: value });
    await send({ secret: value, client_id: "none" });
    await send({ kind: "certificate", certificate: value, private_key: "k".repeat(120_000) });
    expect(chatty.length).toBeGreaterThan(3);
    expect([...chatty, ...lines].join("")).not.toMatch(/Very\.Secret|kkkk/);
  });
});

describe("who may", () => {
  test("an operator gets the 403 that names the right, and finds no link to the page", async () => {
    const omar = await createMember(database.db, { workspace, role: "operator" });
    browser = await signIn(app, omar.email);
    const answer = await browser.get(page());
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("<code>connection.manage</code>");
    expect((await browser.get(tenantPage())).text).not.toContain(page());
    expect((await submit(browser, "/admin/notifications", page(), { kind: "secret" })).status).toBe(403);
  });

  test("an archived tenant comes back with new credentials", async () => {
    await database.db.query("update tenants set lifecycle = 'archived' where id = $1", [contoso.id]);
    await database.db.query("delete from provider_credentials where connection_id = $1", [connection.id]);
    expect((await browser.get(tenantPage())).text).toContain(`href="${page()}">Bring back`);
    expect((await browser.get(page())).text).toContain("New credentials bring it back to onboarding.");
    expect((await send({ secret: value })).status).toBe(303);
    const after = await browser.get(tenantPage());
    expect(after.text).toContain("Contoso Retail is being set up again with its new credential.");
    expect(after.text).toContain("<h1>Contoso Retail is being set up</h1>");
  });

  test("who may not change lifecycles reads why an archived tenant takes no credential", async () => {
    const { db } = database;
    await createRole(db, {
      workspace,
      key: "keeper",
      capabilities: ["connection.manage", "tenant.view"],
    });
    const keeper = await createMember(db, { workspace, role: "keeper" });
    await db.query("update tenants set lifecycle = 'archived' where id = $1", [contoso.id]);
    browser = await signIn(app, keeper.email);
    const { text } = await browser.get(page());
    expect(text).toContain("You need tenant.manage");
    expect(text).not.toContain('name="secret"');
  });
});

describe("the write gate on the tenant's page", () => {
  const everything = [
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementScripts.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.ConditionalAccess",
    "Application.Read.All",
  ];
  const gate = async () => {
    const { text } = await browser.get(tenantPage());
    return /<h2>Write gate<\/h2>([\s\S]*?)<h2>/.exec(text)?.[1] ?? "";
  };

  test("is open with all in order", async () => {
    await set("granted_roles = $2", everything);
    const text = await gate();
    expect(text).toContain("</svg>Open</span>");
    expect(text).not.toContain("<button");
  });

  test("closed by an old verification offers to verify", async () => {
    await set("granted_roles = $2, verified_at = now() - interval '25 hours'", everything);
    const text = await gate();
    expect(text).toContain("</svg>Closed</span>");
    expect(text).toContain("Too long ago: it was verified");
    expect(text).toContain('value="provider.connection.verify"');
  });

  test("closed by a credential that ended offers to replace it", async () => {
    await set("granted_roles = $2, credential_expires_at = now() - interval '1 hour'", everything);
    const text = await gate();
    expect(text).toContain("It ended");
    expect(text).toContain(`href="${page()}">Replace the credential`);
    expect((await browser.get(tenantPage())).text).toContain("Credential expired");
  });

  test("closed by a replaced credential asks for one verification, not three", async () => {
    await send({ secret: value });
    const text = await gate();
    expect(text.match(/<button/g)).toHaveLength(1);
    expect(text).toContain("The present credential has not been verified yet.");
  });

  test("partly open names the permissions and where they are granted", async () => {
    await set("granted_roles = $2", everything.slice(0, 1));
    const text = await gate();
    expect(text).toContain("</svg>Partly open</span>");
    expect(text).toContain("They are granted for 6 of 8 types.");
    expect(text).toContain("API permissions");
    expect(text).toContain("<code>Policy.ReadWrite.ConditionalAccess</code>");
  });

  test("an approval that is pending is said in the provider's words", async () => {
    await set("granted_roles = $2, approval_required = 'A second administrator has to approve'", everything);
    const text = await gate();
    expect(text).toContain("A second administrator has to approve.");
    expect(text).toContain("has to approve it there. Then verify.");
  });
});

test("the list of tenants says whose credential ends soon", async () => {
  await set("credential_expires_at = now() + interval '12 days 1 hour'");
  expect((await browser.get("/admin/tenants")).text).toContain("Credential expires in 12 days");
});
