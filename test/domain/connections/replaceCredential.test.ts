import { beforeEach, describe, expect, test } from "@jest/globals";
import { findCredential } from "../../../server/domain/connections/findCredential.ts";
import { previewReplacement } from "../../../server/domain/connections/previewReplacement.ts";
import { replaceCredential } from "../../../server/domain/connections/replaceCredential.ts";
import { storeCredential } from "../../../server/domain/connections/storeCredential.ts";
import { Forbidden, Invalid } from "../../../server/domain/errors.ts";
import { makeCertificate } from "../../helpers/certificates.ts";
import { getConnection } from "../../helpers/connections.ts";
import { useDatabase } from "../../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { requestAs } from "../../helpers/northwind.ts";
import { credentialKeys } from "../../helpers/queue.ts";
import { listActions } from "../../helpers/records.ts";

const database = useDatabase();
const application = "0f8fad5b-d9cb-469f-a165-70867728950e";
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
const tomorrow = inDays(1);

let workspace: TestWorkspace;
let mia: TestUser;
let contoso: TestTenant;

beforeEach(async () => {
  workspace = await createWorkspace(database.db);
  mia = await createMember(database.db, { workspace, role: "manager", name: "Mia Lorenz" });
  contoso = await createTenant(database.db, { workspace, name: "Contoso Retail" });
});

type Given = Partial<Parameters<typeof replaceCredential>[2]>;

function replace(given: Given = {}) {
  return replaceCredential(database.db, credentialKeys, {
    actor: mia,
    workspaceId: workspace.id,
    tenantId: contoso.id,
    proof: { kind: "secret", secret: "the-next~secret" },
    expiresAt: null,
    ...given,
  });
}

async function connect(status: "verified" | "invalid" = "verified"): Promise<string> {
  const { db } = database;
  const { id } = await createConnection(db, { tenant: contoso, status });
  const proof = { kind: "secret", secret: "the-first~secret" } as const;
  await db.transaction((tx) => storeCredential(tx, credentialKeys, { connectionId: id, version: 1, proof }));
  return id;
}

async function problemsOf(given: Given): Promise<Readonly<Record<string, string>>> {
  try {
    await replace(given);
  } catch (error) {
    if (error instanceof Invalid) return error.fields;
    throw error;
  }
  throw new Error("Nothing was wrong with it.");
}

describe("a credential that is replaced", () => {
  test.each(["verified", "invalid"] as const)(
    "leaves a connection that was %s unverified, and nothing known of it",
    async (was) => {
      const { db } = database;
      const id = await connect(was);
      await db.query(
        `update provider_connections set granted_roles = '{Policy.Read.All}', approval_required = 'Ask somebody.',
           credential_expires_at = now() where id = $1`,
        [id],
      );
      expect(await replace()).toMatchObject({ tenant: "Contoso Retail", cameBack: false });
      expect(await getConnection(db, id)).toEqual({
        status: "unverified",
        cause: null,
        verifiedAt: null,
        verifiedVersion: null,
        credentialVersion: 2,
        grantedRoles: [],
      });
      const kept = await db.query(
        "select approval_required as approval, credential_expires_at as ends from provider_connections where id = $1",
        [id],
      );
      expect(kept).toEqual([{ approval: null, ends: null }]);
      expect(await findCredential(db, credentialKeys, id)).toEqual({
        directoryId: contoso.directoryId,
        clientId: "countersign-client",
        proof: { kind: "secret", secret: "the-next~secret" },
        credentialVersion: 2,
      });
    },
  );

  test("is audited with what may be known of it, and no secret", async () => {
    const id = await connect();
    await replace({ clientId: application, expiresAt: tomorrow });
    const audit = await listAudit(database.db, id);
    expect(audit).toMatchObject([
      {
        action: "connection.credential_replaced",
        actorId: mia.id,
        tenantId: contoso.id,
        details: {
          before: { status: "verified", version: 1, kind: "secret", clientId: "countersign-client" },
          after: { status: "unverified", version: 2, kind: "secret", clientId: application },
          stops: { queued: 0 },
        },
      },
    ]);
    expect(JSON.stringify(audit)).not.toContain("~secret");
  });

  test("tells how many open runs it stops, which a run's own gate then confirms", async () => {
    const { db } = database;
    await connect();
    await requestAs(db, mia, "inventory.sync", contoso);
    await requestAs(db, mia, "provider.connection.verify", contoso);
    expect(await previewReplacement(db, contoso.id)).toMatchObject({ queued: 1, running: 0, tenants: 1 });
    expect(await replace()).toMatchObject({ stops: { queued: 1 } });
    expect(await previewReplacement(db, contoso.id)).toMatchObject({ queued: 0 });
  });

  test("fences everything that relies on the connection", async () => {
    const id = await connect();
    const epochOf = async () => {
      const [row] = await database.db.query<{ epoch: string }>(
        "select epoch from authority_epochs where key = authority_key('connection', $1)",
        [id],
      );
      return Number(row?.epoch ?? 0);
    };
    const before = await epochOf();
    await replace();
    expect(await epochOf()).toBeGreaterThan(before);
  });
});

test("a certificate is kept with its thumbprint, subject and end", async () => {
  const { db } = database;
  const id = await connect();
  const { certificate, privateKey } = makeCertificate({ expiresAt: inDays(90) });
  await replace({ proof: { kind: "certificate", certificate, privateKey }, expiresAt: tomorrow });
  const [stored] = await db.query<{ thumbprint: string; days: number }>(
    `select p.kind, p.thumbprint, p.subject,
       round(extract(epoch from c.credential_expires_at - now()) / 86400)::integer as days
     from provider_credentials p join provider_connections c on c.id = p.connection_id where c.id = $1`,
    [id],
  );
  expect(stored).toMatchObject({ kind: "certificate", days: 90, subject: expect.stringContaining("CN=") });
  expect(stored?.thumbprint).toMatch(/^[0-9A-F]{40}$/);
  expect(await findCredential(db, credentialKeys, id)).toMatchObject({
    proof: { kind: "certificate", certificate, privateKey },
  });
});

test("a tenant without a connection gets one", async () => {
  const { db } = database;
  await replace({ clientId: application, expiresAt: tomorrow });
  const [made] = await db.query<{ id: string }>(
    `select id, client_id as "clientId", status, credential_expires_at as ends from provider_connections
     where tenant_id = $1`,
    [contoso.id],
  );
  expect(made).toMatchObject({ clientId: application, status: "unverified", ends: tomorrow });
  expect(await listActions(db, made?.id ?? "")).toEqual(["connection.created"]);
});

test("two who create a connection at once make one", async () => {
  await Promise.all([replace({ clientId: application }), replace({ clientId: application })]);
  const rows = await database.db.query(
    "select credential_version as version from provider_connections where tenant_id = $1",
    [contoso.id],
  );
  expect(rows).toEqual([{ version: 2 }]);
});

describe("what cannot be used is refused by field", () => {
  test.each<[string, Given, string, RegExp]>([
    ["no application", {}, "client_id", /Enter the application's id/],
    ["an application that is no id", { clientId: "the one" }, "client_id", /looks like 11111111/],
    ["an empty secret", { clientId: application, proof: secret("") }, "secret", /Enter the secret's value/],
    ["a secret's id", { clientId: application, proof: secret(application) }, "secret", /Enter its value/],
    ["an endless secret", { clientId: application, proof: secret("x".repeat(1_001)) }, "secret", /too long/],
    ["a torn secret", { clientId: application, proof: secret("a\u0000b") }, "secret", /Copy its value again/],
    ["an end in the past", { clientId: application, expiresAt: new Date(0) }, "expires_on", /in the future/],
    [
      "no certificate",
      { clientId: application, proof: pem("", "x") },
      "certificate",
      /Paste the certificate/,
    ],
    ["no key", { clientId: application, proof: pem("x", " ") }, "private_key", /Paste the private key/],
    ["an endless key", { clientId: application, proof: pem("x", "k".repeat(32_769)) }, "private_key", /long/],
    ["no certificate at all", { clientId: application, proof: pem("hello", "x") }, "certificate", /PEM text/],
  ])("%s", async (_name, given, field, words) => {
    const problems = await problemsOf(given);
    expect(Object.keys(problems)).toEqual([field]);
    expect(problems[field]).toMatch(words);
  });

  test("a key that is another certificate's, and a certificate that has ended", async () => {
    const [one, other] = [
      makeCertificate({ expiresAt: inDays(90) }),
      makeCertificate({ expiresAt: inDays(90) }),
    ];
    const mixed = await problemsOf({ clientId: application, proof: pem(one.certificate, other.privateKey) });
    expect(mixed).toEqual({ private_key: "The private key does not belong to the certificate." });
    const ended = makeCertificate({ expiresAt: inDays(-1) });
    const problems = await problemsOf({
      clientId: application,
      proof: pem(ended.certificate, ended.privateKey),
    });
    expect(problems).toEqual({ certificate: "The certificate has expired already." });
  });
});

describe("an archived tenant", () => {
  beforeEach(async () => {
    await createConnection(database.db, { tenant: contoso, status: "unverified" });
    await database.db.query("update tenants set lifecycle = 'archived' where id = $1", [contoso.id]);
  });

  const lifecycle = () => database.db.query("select lifecycle from tenants where id = $1", [contoso.id]);

  test("comes back to onboarding with new credentials", async () => {
    expect(await replace()).toMatchObject({ cameBack: true });
    expect(await lifecycle()).toEqual([{ lifecycle: "onboarding" }]);
    expect(await listAudit(database.db, contoso.id)).toMatchObject([
      { action: "tenant.lifecycle_changed", details: { before: "archived", after: "onboarding" } },
    ]);
  });

  test("does not for somebody who may not change lifecycles, and keeps nothing", async () => {
    const { db } = database;
    await createRole(db, { workspace, key: "keeper", capabilities: ["connection.manage"] });
    const actor = await createMember(db, { workspace, role: "keeper" });
    await expect(replace({ actor })).rejects.toThrow(Forbidden);
    expect(await lifecycle()).toEqual([{ lifecycle: "archived" }]);
    expect(
      await db.query(
        "select 1 from provider_credentials p join provider_connections c on c.id = p.connection_id where c.tenant_id = $1",
        [contoso.id],
      ),
    ).toEqual([]);
  });
});

test("an operator may not replace a credential", async () => {
  const id = await connect();
  const actor = await createMember(database.db, { workspace, role: "operator" });
  await expect(replace({ actor })).rejects.toThrow(Forbidden);
  expect(await getConnection(database.db, id)).toMatchObject({ status: "verified", credentialVersion: 1 });
});

function secret(value: string) {
  return { kind: "secret", secret: value } as const;
}

function pem(certificate: string, privateKey: string) {
  return { kind: "certificate", certificate, privateKey } as const;
}
