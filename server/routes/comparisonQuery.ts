import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { type BackupSet, findBackupSetFor } from "../domain/backups/backupSets.ts";
import { comparisons, type Other } from "../domain/backups/compareSets.ts";
import { Forbidden, NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { policyTypes } from "../provider/policyTypes.ts";

/** What a set is compared with, as its address says it. */
const With = z.union([z.literal("inventory"), Id]);

const Query = z.object({
  with: With.nullable().catch(null),
  comparison: z.enum(comparisons).nullable().catch(null),
  type: z.enum(policyTypes).nullable().catch(null),
  after: z.string().max(2000).nullable().catch(null),
});

export type ComparisonQuery = z.infer<typeof Query>;

export function parseComparisonQuery(query: unknown): ComparisonQuery {
  return Query.parse(query);
}

const ItemQuery = z.object({
  with: With,
  left: Id.nullable().default(null),
  right: Id.nullable().default(null),
});

export type ComparedPair = z.infer<typeof ItemQuery>;

export function parseComparedPair(query: unknown): ComparedPair {
  return ItemQuery.parse(query);
}

export function comparisonAddress(setId: string, query: ComparisonQuery): string {
  return withQuery(`${paths.backup(setId)}/comparison`, query);
}

/** The set, and the other side as far as the viewer may see it. */
export type Sides = { set: BackupSet; other: Other; otherSet: BackupSet | null };

export async function findSet(reader: Reader, viewer: Viewer, setId: string): Promise<BackupSet> {
  const set = await findBackupSetFor(reader, viewer, setId);
  if (set === undefined) throw new NotFound();
  return set;
}

/** Throws `NotFound` for a set the viewer may not see, `Forbidden` where the inventory is not for them. */
export async function findSides(
  reader: Reader,
  viewer: Viewer,
  set: BackupSet,
  chosen: "inventory" | (string & {}),
): Promise<Sides> {
  if (chosen === "inventory") {
    if (!may(viewer, "inventory.view", set.tenantId)) throw new Forbidden("inventory.view");
    return { set, other: { inventoryOf: set.tenantId }, otherSet: null };
  }
  return { set, other: { setId: chosen }, otherSet: await findSet(reader, viewer, chosen) };
}
