import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { describeExpiry, type Expiry } from "../domain/connections/describeExpiry.ts";
import { countInventory, type InventoryCount } from "../domain/inventory/countInventory.ts";
import { hasLiveWorker } from "../domain/operations/attention.ts";
import { describeListedRun, type RunRow } from "../domain/operations/describeListedRun.ts";
import { listRuns, noFilters } from "../domain/operations/listRuns.ts";
import { previewRuns } from "../domain/operations/previewRuns.ts";
import { runScopeOf } from "../domain/operations/runScope.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import {
  connectionBadges,
  describeTenant,
  heldBadge,
  lifecycleBadges,
  noConnection,
  type Standing,
} from "../domain/tenants/describeTenant.ts";
import { findTenantFor, type Tenant } from "../domain/tenants/findTenantFor.ts";
import { previewRequests } from "../domain/tenants/previewRequests.ts";
import { readWriteGate } from "../domain/tenants/readWriteGate.ts";
import { paths, withQuery } from "../http/paths.ts";
import { type PolicyType, policyTypes, typeLabels } from "../provider/policyTypes.ts";
import { type SentHold, type TenantActions, tenantActions, verifyButton } from "./tenantActions.ts";
import { readTenantBackups, type TenantBackups } from "./tenantBackups.ts";
import { type GatePanel, writeGatePanel } from "./writeGatePanel.ts";

export type { SentHold } from "./tenantActions.ts";

/** A part of the page that asks for a right of its own: what it shows, or why it does not. */
type Part<T> = { rows: T[]; why: string | null };

export type TenantPage = {
  tenant: Tenant;
  standing: Standing;
  badges: Badge[];
  connectionBadge: Badge;
  /** What is to be said of the credential's end; null while that is far off. */
  expiry: Expiry | null;
  /** Where the connection is looked after; null for who may not. */
  connectionAddress: string | null;
  gate: GatePanel | null;
  actions: TenantActions;
  inventory: Part<InventoryRow>;
  runs: Part<RunRow>;
  backups: TenantBackups;
  runsAddress: string;
  /** Where every policy of it is listed. */
  inventoryAddress: string;
};

type InventoryRow = { label: string; present: number | null; gone: number; lastSeenAt: Date | null };

/** Undefined where the viewer may not see the tenant. `sent` is a hold form to be shown again. */
export async function readTenantPage(
  reader: Reader,
  viewer: Viewer,
  tenantId: string,
  sent?: SentHold,
): Promise<TenantPage | undefined> {
  const tenant = await findTenantFor(reader, viewer, tenantId);
  if (tenant === undefined) return undefined;
  const [requests, gate, inventory, runs, backups] = await Promise.all([
    previewRequests(reader, viewer, tenant),
    readWriteGate(reader, viewer, tenant),
    readInventory(reader, viewer, tenantId),
    readRuns(reader, viewer, tenantId),
    readTenantBackups(reader, viewer, tenantId),
  ]);
  const actions = tenantActions(viewer, tenant, requests, sent);
  const isHeld = tenant.hold !== null || tenant.workspaceHold !== null;
  return {
    tenant,
    standing: describeTenant(tenant),
    badges: [...(isHeld ? [heldBadge] : []), lifecycleBadges[tenant.lifecycle]],
    connectionBadge: tenant.connection === null ? noConnection : connectionBadges[tenant.connection.status],
    expiry: describeExpiry(tenant.connection?.credentialExpiresAt ?? null, new Date()),
    connectionAddress: may(viewer, "connection.manage", tenantId) ? paths.connection(tenantId) : null,
    gate: writeGatePanel(viewer, tenant, gate, verifyButton(actions)),
    actions,
    inventory,
    runs,
    backups,
    runsAddress: withQuery(paths.operations, { tenant: tenantId }),
    inventoryAddress: withQuery(paths.inventory, { tenant: tenantId }),
  };
}

async function readInventory(reader: Reader, viewer: Viewer, tenantId: string): Promise<Part<InventoryRow>> {
  if (!may(viewer, "inventory.view", tenantId)) return lacking("inventory.view");
  const counts = await countInventory(reader, tenantId);
  return { rows: policyTypes.map((type) => inventoryRow(type, counts)), why: null };
}

function inventoryRow(type: PolicyType, counts: readonly InventoryCount[]): InventoryRow {
  const found = counts.find((count) => count.type === type);
  const label = typeLabels[type];
  if (found === undefined) return { label, present: null, gone: 0, lastSeenAt: null };
  return { label, present: found.present, gone: found.gone, lastSeenAt: found.lastSeenAt };
}

const recentRuns = 10;

async function readRuns(reader: Reader, viewer: Viewer, tenantId: string): Promise<Part<RunRow>> {
  if (!may(viewer, "operations.view", tenantId)) return lacking("operations.view");
  const [{ runs }, hasWorker] = await Promise.all([
    listRuns(reader, runScopeOf(viewer), { ...noFilters, tenantId }, null),
    hasLiveWorker(reader),
  ]);
  const recent = runs.slice(0, recentRuns);
  const waiting = recent.filter(({ status }) => status === "queued").map(({ id }) => id);
  const verdicts = await previewRuns(reader, waiting);
  const at = new Date();
  return {
    rows: recent.map((run) => describeListedRun(run, { hasWorker, now: verdicts.get(run.id), at })),
    why: null,
  };
}

function lacking<T>(capability: keyof typeof capabilities): Part<T> {
  return { rows: [], why: `You need ${capability} to ${capabilities[capability]}.` };
}
