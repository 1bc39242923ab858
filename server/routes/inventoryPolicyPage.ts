import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { findPolicyFor, type InventoryPolicy } from "../domain/inventory/listInventory.ts";
import { paths, withQuery } from "../http/paths.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { type ShownJson, showJson } from "./backupWords.ts";

export type PolicyPage = {
  name: string;
  tenant: { name: string; address: string | null; inventory: string };
  facts: { label: string; value: string; isCode: boolean }[];
  firstSeenAt: Date;
  changedAt: Date;
  lastSeenAt: Date;
  goneSince: Date | null;
  payload: ShownJson;
};

/** Undefined where the viewer may not see the inventory. */
export async function readPolicyPage(
  reader: Reader,
  viewer: Viewer,
  policyId: string,
): Promise<PolicyPage | undefined> {
  const policy = await findPolicyFor(reader, viewer, policyId);
  if (policy === undefined) return undefined;
  const { name, tenantId, tenantName, firstSeenAt, changedAt, lastSeenAt, goneSince } = policy;
  return {
    ...{ name, firstSeenAt, changedAt, lastSeenAt, goneSince },
    tenant: {
      name: tenantName,
      address: may(viewer, "tenant.view", tenantId) ? paths.tenant(tenantId) : null,
      inventory: withQuery(paths.inventory, { tenant: tenantId }),
    },
    facts: factsOf(policy),
    payload: showJson(policy.payload),
  };
}

function factsOf({ type, odataType, providerId, hash }: InventoryPolicy): PolicyPage["facts"] {
  return [
    { label: "Type", value: typeLabels[type], isCode: false },
    { label: "Microsoft’s type", value: odataType === "" ? "not said" : odataType, isCode: odataType !== "" },
    { label: "Id at Microsoft", value: providerId, isCode: true },
    { label: "Digest", value: hash === "" ? "not known" : hash, isCode: hash !== "" },
  ];
}
