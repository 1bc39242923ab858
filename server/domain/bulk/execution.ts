import type { Reader, Tx } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import type { SelectedPolicy, Selection } from "./selections.ts";

/** A selection as the run that works on it needs it. */
export type SelectionToWork = Pick<Selection, "id" | "operation" | "tenantId" | "items"> & {
  types: PolicyType[];
  /** The groups that were meant, once an attempt has found them. */
  groups: MeantGroup[] | null;
};

export type MeantGroup = { id: string; name: string; excludes: boolean };

export type ItemToWork = Omit<SelectedPolicy, "type"> & { type: PolicyType };

/** Throws when it is gone: the gate lets no such run begin. */
export async function getSelection(reader: Reader, selectionId: string): Promise<SelectionToWork> {
  const [selection] = await reader.query<SelectionToWork>(
    `select s.id, s.operation, s.tenant_id as "tenantId", s.items, s.groups, array(
       select distinct type from bulk_items where selection_id = s.id) as types
     from bulk_selections s where s.id = $1`,
    [selectionId],
  );
  if (selection === undefined) throw new Error(`There is no selection ${selectionId}.`);
  return { ...selection, types: policyTypes.filter((type) => selection.types.includes(type)) };
}

/** Only one run may work on a selection. The gate has seen that no other does. */
export async function claimSelection(tx: Tx, selectionId: string, runId: string): Promise<EffectSummary> {
  await tx.query("update bulk_selections set run_id = $2 where id = $1 and run_id is null", [
    selectionId,
    runId,
  ]);
  return { items: 0, counts: {} };
}

/** Keeps which groups were meant: a later attempt must not find others by the same names. */
export async function keepGroups(
  tx: Tx,
  selectionId: string,
  groups: readonly MeantGroup[],
): Promise<EffectSummary> {
  await tx.query("update bulk_selections set groups = $2 where id = $1", [
    selectionId,
    JSON.stringify(groups),
  ]);
  return { items: 0, counts: {} };
}

/** Says what has moved since the selection: the gate denies every run that would work on it. */
export async function markSelectionStale(tx: Tx, selectionId: string, reason: string): Promise<void> {
  await tx.query(
    `update bulk_selections set stale_since = clock_timestamp(), stale_reason = left($2, 500)
     where id = $1 and stale_since is null`,
    [selectionId, reason],
  );
}

/** All of it, in order: a selection is small. */
export function listSelected(reader: Reader, selectionId: string): Promise<ItemToWork[]> {
  return reader.query<ItemToWork>(
    `select ${itemColumns} from bulk_items where selection_id = $1 order by position`,
    [selectionId],
  );
}

/** Those of which nothing is known yet, from a position on. */
export function listItemsToWork(reader: Reader, selectionId: string, from: number): Promise<ItemToWork[]> {
  return reader.query<ItemToWork>(
    `select ${itemColumns} from bulk_items where selection_id = $1 and position >= $2 and result is null
     order by position`,
    [selectionId, from],
  );
}

const itemColumns = `position, inventory_item_id as "inventoryItemId", type, provider_id as "providerId", name,
  match_key as "matchKey", expected_hash as "expectedHash"`;
