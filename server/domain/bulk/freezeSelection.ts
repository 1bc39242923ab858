import { v7 as uuidv7 } from "uuid";
import type { Db, Tx } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { Capability } from "../authority/capabilities.ts";
import { isEntitled, may, type Viewer } from "../authority/viewer.ts";
import { Forbidden, Invalid, NotFound } from "../errors.ts";
import { type InventoryFilters, inInventory, inventoryValues } from "../inventory/inventoryScope.ts";
import { contractOf } from "../operations/catalog.ts";
import {
  digestOfSelection,
  mostSelected,
  type PolicyOperation,
  type SelectedPolicy,
  type Selection,
} from "./selections.ts";

/**
 * What somebody chose from the inventory: policies one by one, or all that match the filters of a list, of which
 * the page said there were `count`.
 */
export type PolicyChoice = { ids: readonly string[] } | { matching: InventoryFilters; count: number };

type Found = Omit<SelectedPolicy, "position"> & { tenantId: string };

/** These say themselves whom they are for, or are for nobody (handbook 4, "assignments"). */
const unassignable: readonly PolicyType[] = [
  "assignmentFilters",
  "roleScopeTags",
  "conditionalAccessPolicies",
];

/**
 * Freezes a choice of policies of one tenant as they stand in the inventory, to be confirmed. Returns the
 * selection's id; with `rerunOf`, confirming it asks for that run again. Throws `Invalid` (`items`) for what cannot
 * be worked on together, `NotFound` and `Forbidden` for a tenant at which the viewer may not.
 */
export async function freezeSelection(
  db: Db,
  viewer: Viewer,
  operation: PolicyOperation,
  choice: PolicyChoice,
  rerunOf: string | null = null,
): Promise<string> {
  return db.transaction(async (tx) => {
    const found = await listChosen(tx, viewer, choice);
    const tenantId = onlyTenantOf(found);
    refuseUnlessAllowed(viewer, contractOf(operation).capability, tenantId);
    if ("matching" in choice && choice.count !== found.length)
      throw new Invalid({ items: `The list has changed: ${found.length} match now. Look at it again.` });
    const usable = found.filter(({ type }) => operation === "policies.bulk_delete" || isAssignable(type));
    if (usable.length === 0) throw new Invalid({ items: "Nothing of these types is assigned to groups." });
    const items = usable.map(({ tenantId: _tenant, ...item }, index) => ({ position: index + 1, ...item }));
    const leftOut = found.length - usable.length;
    return insertSelection(tx, viewer, { operation, tenantId, leftOut, items, rerunOf });
  });
}

async function listChosen(tx: Tx, viewer: Viewer, choice: PolicyChoice): Promise<Found[]> {
  const filters =
    "matching" in choice ? choice.matching : { tenantId: null, type: null, text: null, ids: choice.ids };
  const found = await tx.query<Found>(
    `select i.tenant_id as "tenantId", i.id as "inventoryItemId", i.type, i.provider_id as "providerId", i.name,
       i.match_key as "matchKey", i.normalised_hash as "expectedHash"
     from inventory_items i join tenants t on t.id = i.tenant_id
     where ${inInventory} order by lower(i.name), i.id limit $6`,
    [...inventoryValues(viewer, filters), mostSelected + 1],
  );
  if (found.length > mostSelected)
    throw new Invalid({ items: `Choose at most ${mostSelected} policies at a time.` });
  if ("ids" in choice && found.length < new Set(choice.ids).size)
    throw new Invalid({ items: "Some of the chosen policies are no longer in the inventory." });
  if (found.some(({ expectedHash }) => expectedHash === ""))
    throw new Invalid({ items: "Sync the tenant first: some of these were read by an earlier release." });
  return found;
}

function onlyTenantOf(found: readonly Found[]): string {
  const [tenantId, ...others] = new Set(found.map((item) => item.tenantId));
  if (tenantId === undefined) throw new Invalid({ items: "Choose at least one policy." });
  if (others.length > 0) throw new Invalid({ items: "Choose policies of one tenant at a time." });
  return tenantId;
}

function refuseUnlessAllowed(viewer: Viewer, capability: Capability, tenantId: string): void {
  if (!isEntitled(viewer, tenantId)) throw new NotFound();
  if (!may(viewer, capability, tenantId)) throw new Forbidden(capability);
}

function isAssignable(type: string): boolean {
  return !unassignable.some((other) => other === type);
}

async function insertSelection(
  tx: Tx,
  viewer: Viewer,
  selected: Pick<Selection, "operation" | "tenantId" | "leftOut" | "rerunOf"> & { items: SelectedPolicy[] },
): Promise<string> {
  const id = uuidv7();
  const { operation, tenantId, leftOut, items, rerunOf } = selected;
  await tx.query(
    `insert into bulk_selections (id, workspace_id, tenant_id, operation, items, left_out, digest, created_by,
       rerun_of)
     select $1, t.workspace_id, t.id, $3, $4, $5, $6, $7, $8 from tenants t where t.id = $2`,
    [
      id,
      tenantId,
      operation,
      items.length,
      leftOut,
      digestOfSelection(selected, items),
      viewer.user.id,
      rerunOf,
    ],
  );
  await tx.query(
    `insert into bulk_items (selection_id, position, inventory_item_id, type, provider_id, name, match_key,
       expected_hash)
     select $1, position, "inventoryItemId", type, "providerId", name, "matchKey", "expectedHash"
     from jsonb_to_recordset($2::jsonb) as i (position integer, "inventoryItemId" uuid, type text,
       "providerId" text, name text, "matchKey" text, "expectedHash" text)`,
    [id, JSON.stringify(items)],
  );
  return id;
}
