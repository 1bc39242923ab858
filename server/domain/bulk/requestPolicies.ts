import type { Db } from "../../db/database.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Conflict, Invalid, NotFound } from "../errors.ts";
import { type RequestOutcome, requestRun } from "../operations/requestRun.ts";
import { confirmationProblems } from "./confirmation.ts";
import { countSelected, findSelectionFor, type PolicyOperation } from "./selections.ts";

type Confirmed = {
  selectionId: string;
  /** Of the selection that the page showed. */
  digest: string;
  /** The tenant's name, typed by the person who confirms. */
  tenantName: string;
  reason: string;
  requestKey: string;
  expiresInHours: number;
};

/** Confirms deleting what was selected. Throws as `requestAssignment` does. */
export function requestDeletion(db: Db, viewer: Viewer, asked: Confirmed): Promise<RequestOutcome> {
  return requestOn(db, viewer, "policies.bulk_delete", asked, {}, {});
}

/** The groups by name or id, one each, as they were typed. */
export type GroupsAsked = { include: readonly string[]; exclude: readonly string[] };

/**
 * Confirms assigning what was selected to groups, or leaving groups out of it. Throws `NotFound` for a selection
 * the viewer may not see, `Invalid` (`tenantName`, `reason`, `groups`), and `Conflict` when it is not the one that
 * was shown. Whether it may still be worked on is the gate's to say.
 */
export function requestAssignment(
  db: Db,
  viewer: Viewer,
  asked: Confirmed & GroupsAsked,
): Promise<RequestOutcome> {
  const include = [...asked.include];
  const exclude = [...asked.exclude];
  const problems = groupProblems(include, exclude);
  return requestOn(db, viewer, "policies.bulk_assign", asked, { include, exclude }, problems);
}

const mostGroups = 20;

function groupProblems(include: readonly string[], exclude: readonly string[]): Record<string, string> {
  const all = [...include, ...exclude].map((text) => text.toLowerCase());
  if (all.length === 0) return { groups: "Name at least one group." };
  if (all.length > mostGroups) return { groups: `Name at most ${mostGroups} groups.` };
  if (all.some((text) => text.length > 256)) return { groups: "No group has such a long name." };
  return new Set(all).size < all.length ? { groups: "A group is named twice." } : {};
}

async function requestOn(
  db: Db,
  viewer: Viewer,
  operation: PolicyOperation,
  asked: Confirmed,
  choices: JsonObject,
  problems: Record<string, string>,
): Promise<RequestOutcome> {
  const selection = await findSelectionFor(db, viewer, asked.selectionId);
  if (selection?.operation !== operation || viewer.workspace === null) throw new NotFound();
  if (selection.digest !== asked.digest) throw new Conflict("The selection is not the one that was shown.");
  const found = { ...problems, ...confirmationProblems(selection.tenantName, asked) };
  if (Object.keys(found).length > 0) throw new Invalid(found);
  const types = (await countSelected(db, selection.id)).map(({ type }) => type);
  const { id: selectionId, digest } = selection;
  return requestRun(db, {
    operation,
    workspaceId: viewer.workspace.id,
    tenantId: selection.tenantId,
    initiator: viewer.user,
    trigger: "page",
    requestKey: asked.requestKey,
    expiresInHours: asked.expiresInHours,
    ...(selection.rerunOf !== null && { rerunOf: selection.rerunOf }),
    target: { selectionId, digest, types, ...choices, reason: asked.reason.trim() },
  });
}
