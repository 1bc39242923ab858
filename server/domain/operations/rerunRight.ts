import type { Tx } from "../../db/database.ts";
import { findPlaceOfRun, mayAt } from "../authority/places.ts";
import { loadViewer, type Viewer } from "../authority/viewer.ts";
import type { RunRequest } from "./freezeRequest.ts";

/**
 * Whether who asks may ask for that run again: `operations.rerun` where it stands, and to see it there. True for
 * what is no rerun. The transaction holds the locks of a request, so the answer lasts until it commits.
 */
export async function mayRerunStill(
  tx: Tx,
  { rerunOf, initiator, workspaceId }: RunRequest,
): Promise<boolean> {
  if (rerunOf === undefined) return true;
  const person = initiator === null ? undefined : await loadViewer(tx, initiator.id, workspaceId);
  return person !== undefined && (await mayRerun(tx, person, rerunOf));
}

async function mayRerun(tx: Tx, person: Viewer, runId: string): Promise<boolean> {
  const place = await findPlaceOfRun(tx, person, runId);
  if (place === undefined) return false;
  return mayAt(person, "operations.rerun", place) && mayAt(person, "operations.view", place);
}
