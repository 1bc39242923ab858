import { beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import type { Viewer } from "../../../server/domain/authority/viewer.ts";
import { Conflict, NotFound } from "../../../server/domain/errors.ts";
import { defaultOptions } from "../../../server/domain/restores/options.ts";
import { findPlanFor, findPlanOfRun } from "../../../server/domain/restores/plans.ts";
import { type PreviewRequest, requestPreview } from "../../../server/domain/restores/requestPreview.ts";
import { type RestoreRequest, requestRestore } from "../../../server/domain/restores/requestRestore.ts";
import { findUndoFor } from "../../../server/domain/restores/undo.ts";
import { policyTypes } from "../../../server/provider/policyTypes.ts";
import { addTenant, backUp, preview, putDirectory, restore, viewerOf } from "../../helpers/backups.ts";
import { createMember, createTenant, createWorkspace, type TestTenant } from "../../helpers/factories.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../../helpers/northwind.ts";
import { getRun } from "../../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
let olivia: Viewer;
let fabrikam: TestTenant;
let setId: string;
let itemIds: string[];
let planId: string;

beforeAll(async () => {
  const { db, control } = installation;
  world = await seedNorthwind(installation, { policies: 0 });
  await putDirectory(installation, world.contoso, { policies: 6 });
  fabrikam = await addTenant(installation, world);
  olivia = await viewerOf(db, world, world.olivia);
  setId = await backUp(installation, world);
  const items = await db.query<{ id: string }>("select id from backup_items where set_id = $1", [setId]);
  itemIds = items.map(({ id }) => id);
  const [first] = await control.listPolicies(world.contoso.directoryId, "deviceConfigurations");
  await control.removePolicy(world.contoso.directoryId, "deviceConfigurations", first?.id ?? "");
  planId = await preview(installation, world, { setId });
});

function askPreview(changed: Partial<PreviewRequest> = {}, viewer = olivia) {
  return requestPreview(installation.db, viewer, {
    setId,
    tenantId: world.contoso.id,
    types: policyTypes,
    itemIds: null,
    options: defaultOptions,
    requestKey: crypto.randomUUID(),
    expiresInHours: 24,
    ...changed,
  });
}

async function askRestore(changed: Partial<RestoreRequest> = {}, viewer = olivia) {
  const plan = await findPlanFor(installation.db, olivia, planId);
  return requestRestore(installation.db, viewer, {
    planId,
    digest: plan?.digest ?? "",
    tenantName: "Contoso Retail",
    reason: "put back",
    requestKey: crypto.randomUUID(),
    expiresInHours: 24,
    ...changed,
  });
}

describe("a preview", () => {
  test("is asked for with what the backup holds, at a tenant of the workspace", async () => {
    const refused = (changed: Partial<PreviewRequest>) => expect(askPreview(changed)).rejects;
    await refused({ types: [] }).toMatchObject({ fields: { types: "Choose at least one type of policy." } });
    await refused({ types: ["roleScopeTags"] }).toMatchObject({
      fields: { items: "Nothing that was chosen is in the backup." },
    });
    await refused({ itemIds: [...itemIds.slice(0, 1), uuidv7()] }).toMatchObject({
      fields: { items: "Some of the chosen policies are not in the backup." },
    });
    const elsewhere = await createTenant(installation.db, {
      workspace: await createWorkspace(installation.db),
    });
    await refused({ tenantId: elsewhere.id }).toMatchObject({
      fields: { tenant: "Choose a tenant of this workspace." },
    });
    await refused({ setId: uuidv7() }).toThrow(NotFound);
  });
  test("of a backup that the person may not see does not exist for them", async () => {
    const { db } = installation;
    const otto = await createMember(db, {
      workspace: world.northwind,
      role: "operator",
      tenant: fabrikam,
      name: "Otto",
    });
    await expect(askPreview({ tenantId: fabrikam.id }, await viewerOf(db, world, otto))).rejects.toThrow(
      NotFound,
    );
  });
});

describe("a confirmation", () => {
  test("takes the tenant's name as typed and a reason", async () => {
    await expect(askRestore({ tenantName: "contoso", reason: " " })).rejects.toMatchObject({
      fields: {
        tenantName: "Type Contoso Retail to confirm.",
        reason: "Say why, for those who read about it later.",
      },
    });
    await expect(askRestore({ reason: "x".repeat(501) })).rejects.toMatchObject({
      fields: { reason: "Use at most 500 characters." },
    });
  });
  test("is of the preview that was shown", async () => {
    await expect(askRestore({ digest: "another" })).rejects.toThrow(Conflict);
    await expect(askRestore({ planId: uuidv7() })).rejects.toThrow(NotFound);
  });
  test("of somebody who may only preview is refused without a run", async () => {
    const viewer = await viewerOf(installation.db, world, world.omar);
    expect(await askRestore({}, viewer)).toMatchObject({
      kind: "refused",
      denialClass: "capability_denied",
      capability: "restore.execute",
    });
  });
  test("leads to one run, and to no second: the preview is used up then", async () => {
    const { db } = installation;
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      tally: { created: 1, unchanged: 5 },
    });
    expect(await findPlanOfRun(db, run)).toBe(planId);
    expect(await findPlanFor(db, olivia, planId)).toMatchObject({ runId: run, staleReason: null });
    expect(await askRestore()).toMatchObject({ kind: "stored", blocked: true });
    expect(await findUndoFor(db, olivia, run)).toBeUndefined();
    const [asked] = await db.query("select target from operation_runs where id = $1", [run]);
    expect(asked).toMatchObject({ target: { planId, types: ["deviceConfigurations"], reason: "put back" } });
  });
  test("of a preview that would write nothing has nothing to confirm", async () => {
    const unchanged = await preview(installation, world, { setId });
    const plan = await findPlanFor(installation.db, olivia, unchanged);
    await expect(askRestore({ planId: unchanged, digest: plan?.digest ?? "" })).rejects.toThrow(
      "The preview has nothing to write.",
    );
  });
});
