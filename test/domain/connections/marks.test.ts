import { beforeEach, describe, expect, test } from "@jest/globals";
import { markApprovalRequired } from "../../../server/domain/connections/markApprovalRequired.ts";
import { markRolesMissing } from "../../../server/domain/connections/markRolesMissing.ts";
import { recordVerification } from "../../../server/domain/connections/recordVerification.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createConnection, createTenant, createWorkspace } from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";

/** What a run finds out about a connection while it writes. */

const database = useDatabase();
const runId = "0199c1d2-77aa-7c1e-8000-000000000002";
const cause = "A second administrator has to approve.";
const granted = ["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Organization.Read.All"];
let connectionId: string;

beforeEach(async () => {
  const { db } = database;
  const tenant = await createTenant(db, { workspace: await createWorkspace(db) });
  connectionId = (await createConnection(db, { tenant })).id;
  await db.query("update provider_connections set granted_roles = $2 where id = $1", [connectionId, granted]);
});

async function state() {
  const [row] = await database.db.query<{ approval: string | null; roles: string[]; epoch: number }>(
    `select c.approval_required as approval, c.granted_roles as roles,
       coalesce((select epoch from authority_epochs where key = authority_key('connection', c.id)), 0)::integer
         as epoch
     from provider_connections c where c.id = $1`,
    [connectionId],
  );
  if (row === undefined) throw new Error("The connection is gone.");
  return row;
}

describe("an approval that the tenant asks for", () => {
  test("is kept once, fences what relies on the connection, and a verification clears it", async () => {
    const { db } = database;
    const { epoch } = await state();
    const asked = { connectionId, credentialVersion: 1, cause, runId };
    await markApprovalRequired(db, asked);
    await markApprovalRequired(db, asked);
    expect(await state()).toMatchObject({ approval: cause });
    expect((await state()).epoch).toBe(epoch + 1);
    expect(await listAudit(db, connectionId)).toMatchObject([
      { action: "connection.approval_required", actorId: null, details: { after: cause, run: runId } },
    ]);
    await db.transaction((tx) =>
      recordVerification(tx, { connectionId, credentialVersion: 1, grantedRoles: granted, runId }),
    );
    expect(await state()).toMatchObject({ approval: null });
  });

  test("of a credential that was replaced meanwhile says nothing about the present one", async () => {
    await markApprovalRequired(database.db, { connectionId, credentialVersion: 7, cause, runId });
    expect(await state()).toMatchObject({ approval: null });
    expect(await listAudit(database.db, connectionId)).toEqual([]);
  });
});

describe("permissions that the provider refuses", () => {
  const refused = { credentialVersion: 1, roles: ["Policy.ReadWrite.ConditionalAccess"], runId };

  test("are no longer counted as granted; the others are, in their order", async () => {
    const { db } = database;
    const { epoch } = await state();
    await markRolesMissing(db, { connectionId, ...refused });
    await markRolesMissing(db, { connectionId, ...refused });
    const after = ["Policy.Read.All", "Organization.Read.All"];
    expect(await state()).toMatchObject({ roles: after });
    expect((await state()).epoch).toBe(epoch + 1);
    expect(await listAudit(db, connectionId)).toMatchObject([
      { action: "connection.permissions_lost", actorId: null, details: { before: granted, after } },
    ]);
  });

  test("under a credential that was replaced meanwhile are kept as they are", async () => {
    await markRolesMissing(database.db, { connectionId, ...refused, credentialVersion: 7 });
    expect(await state()).toMatchObject({ roles: granted });
    expect(await listAudit(database.db, connectionId)).toEqual([]);
  });
});
