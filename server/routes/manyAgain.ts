import { randomUUID } from "node:crypto";
import type { Response } from "express";
import type { Db, Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { freezeSelection } from "../domain/bulk/freezeSelection.ts";
import { type LeftOfRun, leftOfPolicies } from "../domain/bulk/leftOfRun.ts";
import type { PolicyOperation } from "../domain/bulk/selections.ts";
import { Conflict, Invalid, NotFound } from "../domain/errors.ts";
import { isOnMany } from "../domain/operations/askAgain.ts";
import type { ShownRun } from "../domain/operations/findRunFor.ts";
import { requireEnded } from "../domain/operations/rerunRun.ts";
import { rerunLabel } from "../domain/operations/runActions.ts";
import { counted, titleOf } from "../domain/operations/runWords.ts";
import { paths, withQuery } from "../http/paths.ts";
import type { RerunPage } from "./rerunPage.ts";

/**
 * Shows what is left of what a run on many was asked to do: on the page that confirms such a run, or, for
 * policies, on one that leads there, because they have to be frozen anew first. Throws `Conflict`.
 */
export async function showWhatIsLeft(
  reader: Reader,
  res: Response,
  viewer: Viewer,
  run: ShownRun,
): Promise<void> {
  requireEnded(run);
  const next = nextFor(run);
  if ("address" in next) return res.redirect(303, next.address);
  res.render("operations/rerun", { page: pageFor(run, viewer, await getLeft(reader, viewer, run)) });
}

/** Freezes what is left of the policies anew, for the viewer. Returns where to confirm it; throws `Conflict`. */
export async function chooseWhatIsLeft(db: Db, viewer: Viewer, run: ShownRun): Promise<string> {
  requireEnded(run);
  const next = nextFor(run);
  if ("address" in next) return next.address;
  const { ids } = await getLeft(db, viewer, run);
  try {
    return paths.selection(await freezeSelection(db, viewer, next.operation, { ids }, run.id));
  } catch (error) {
    if (error instanceof Invalid) throw new Conflict(Object.values(error.fields).join(" "));
    throw error;
  }
}

/** The page that confirms it, or what is to be done with policies that have to be frozen first. */
function nextFor({ id, operation }: ShownRun): { address: string } | { operation: PolicyOperation } {
  if (!isOnMany(operation)) throw new Error(`${operation} does not work on many.`);
  switch (operation) {
    case "tenants.bulk_sync":
      return { address: withQuery(paths.bulkSync, { again: id }) };
    case "backups.bulk_delete":
      return { address: withQuery(paths.bulkBackups, { again: id }) };
    case "policies.bulk_assign":
    case "policies.bulk_delete":
      return { operation };
  }
}

async function getLeft(reader: Reader, viewer: Viewer, run: ShownRun): Promise<LeftOfRun> {
  try {
    return await leftOfPolicies(reader, viewer, run.id);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new Conflict("What it was asked to do is not kept any more: choose it anew in the inventory.");
  }
}

function pageFor(run: ShownRun, viewer: Viewer, { asked, ids, done }: LeftOfRun): RerunPage {
  const label = rerunLabel(run, viewer);
  const title = titleOf(run.operation);
  return {
    ...{ title, label },
    question: `${label}: “${title}” at ${run.tenantName ?? "a deleted tenant"}?`,
    sentences: [
      `A new run, authorized as you, ${viewer.user.name}. It is linked with this one.`,
      "What is left is chosen anew as the inventory has it now, and confirmed by name on the next page.",
    ],
    difference: [{ what: "Policies", before: String(asked), now: String(ids.length) }],
    verdict: leftWords(ids.length, done),
    isPossible: ids.length > 0,
    address: paths.run(run.id),
    requestKey: randomUUID(),
    expiries: [],
  };
}

function leftWords(left: number, done: number): string {
  if (left === 0) return "Nothing is left to do: all of it is done, or gone from the tenant.";
  return done === 0
    ? "None of it was done."
    : `${counted(done, "policy is", "policies are")} done with, or gone from the tenant, and left out.`;
}
