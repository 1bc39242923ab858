import { expect, test } from "@jest/globals";
import { loadViewer } from "../../../server/domain/authority/viewer.ts";
import { requestRun } from "../../../server/domain/operations/requestRun.ts";
import { findTenantFor } from "../../../server/domain/tenants/findTenantFor.ts";
import { previewRequests } from "../../../server/domain/tenants/previewRequests.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createConnection, createMember, createTenant, createWorkspace } from "../../helpers/factories.ts";
import { getRun } from "../../helpers/records.ts";

const database = useDatabase();

test.each([
  { role: "operator", lifecycle: "active", connection: "verified" },
  { role: "readonly", lifecycle: "active", connection: "verified" },
  { role: "operator", lifecycle: "suspended", connection: "verified" },
  { role: "operator", lifecycle: "active", connection: "invalid" },
  { role: "operator", lifecycle: "archived", connection: "unverified" },
] as const)(
  "what is previewed is what the request is answered: %o",
  async ({ role, lifecycle, connection }) => {
    const { db } = database;
    const workspace = await createWorkspace(db);
    const user = await createMember(db, { workspace, role });
    const { id: tenantId } = await createTenant(db, { workspace, lifecycle });
    await createConnection(db, { tenant: { id: tenantId }, status: connection });
    const viewer = await loadViewer(db, user.id, null);
    const tenant = viewer && (await findTenantFor(db, viewer, tenantId));
    if (viewer === undefined || tenant === undefined) throw new Error("The seed is not visible.");

    for (const { operation, decision } of await previewRequests(db, viewer, tenant)) {
      const previewed = decision.verdict === "denied" ? decision.reasonCode : null;
      const request = { operation, workspaceId: workspace.id, tenantId, initiator: user } as const;
      const outcome = await requestRun(db, {
        ...request,
        trigger: "page",
        requestKey: null,
        expiresInHours: 24,
      });
      const answered =
        outcome.kind === "refused" ? outcome.reasonCode : (await getRun(db, outcome.runId)).reasonCode;
      expect([operation, previewed]).toEqual([operation, answered]);
    }
  },
);
