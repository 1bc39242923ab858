import type { Db, Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { findBackupItem } from "../domain/backups/backupItems.ts";
import { diffItems } from "../domain/backups/compareItems.ts";
import { NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import type { Routes } from "../http/serve.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { type ShownChange, showChanges } from "./backupWords.ts";
import { readComparisonPage, type ShownSet, showSet } from "./comparisonPage.ts";
import {
  type ComparedPair,
  comparisonAddress,
  findSet,
  findSides,
  parseComparedPair,
  parseComparisonQuery,
} from "./comparisonQuery.ts";

/** A backup beside another one, or beside what the last sync found. */
export function comparisonRoutes(db: Db): Routes {
  return {
    "GET /admin/backups/:backup/comparison": async (req, res, viewer) => {
      const set = await findSet(db, viewer, Id.parse(req.params.backup));
      const page = await readComparisonPage(db, viewer, set, parseComparisonQuery(req.query));
      res.render("backups/comparison", { page });
    },
    "GET /admin/backups/:backup/comparison/item": async (req, res, viewer) => {
      const pair = parseComparedPair(req.query);
      const page = await readComparedItem(db, viewer, Id.parse(req.params.backup), pair);
      res.render("backups/compared-item", { page });
    },
  };
}

type ComparedItemPage = {
  set: ShownSet;
  /** Null for the inventory. */
  other: ShownSet | null;
  back: string;
  name: string;
  type: string;
  changes: ShownChange[];
};

async function readComparedItem(
  reader: Reader,
  viewer: Viewer,
  setId: string,
  pair: ComparedPair,
): Promise<ComparedItemPage> {
  const { set, other, otherSet } = await findSides(
    reader,
    viewer,
    await findSet(reader, viewer, setId),
    pair.with,
  );
  const [item, changes] = await Promise.all([
    pair.left === null ? undefined : findBackupItem(reader, setId, pair.left),
    diffItems(reader, setId, other, { leftId: pair.left, rightId: pair.right }),
  ]);
  if (item === undefined || changes === undefined) throw new NotFound();
  return {
    set: showSet(set),
    other: otherSet === null ? null : showSet(otherSet),
    back: comparisonAddress(setId, { with: pair.with, comparison: "changed", type: null, after: null }),
    name: item.name,
    type: typeLabels[item.type],
    changes: showChanges(changes, 2000),
  };
}
