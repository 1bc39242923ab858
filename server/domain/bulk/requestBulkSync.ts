import type { Db, Reader } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Invalid, NotFound } from "../errors.ts";
import { knownTypesOf } from "../operations/askAgain.ts";
import { findRunFor } from "../operations/findRunFor.ts";
import type { RunRequest } from "../operations/freezeRequest.ts";
import { type Identical, requestUnlessIdentical } from "../operations/identicalRuns.ts";
import { type RequestOutcome, requestRun } from "../operations/requestRun.ts";
import { digestOfChoice, findConfirmedBefore } from "./shownChoice.ts";
import { listTenantsToSync, type TenantsChosen } from "./tenantsToSync.ts";

export type BulkSyncRequest = {
  chosen: TenantsChosen;
  /** Of the tenants that the page showed. */
  digest: string;
  requestKey: string;
  expiresInHours: number;
  /** Also when one that does the same is open. */
  force: boolean;
};

/**
 * Asks for a sync of many tenants; which ones is frozen here. Throws `Invalid` (`tenants`) when there are none,
 * too many, or other ones than the page said.
 */
export async function requestBulkSync(
  db: Db,
  viewer: Viewer,
  { chosen, digest, force, requestKey, expiresInHours }: BulkSyncRequest,
): Promise<RequestOutcome | Identical> {
  if (viewer.workspace === null) throw new NotFound();
  const earlier = await findConfirmedBefore(db, viewer, "tenants.bulk_sync", { requestKey, digest });
  if (earlier !== undefined) return earlier;
  const { tenants } = await listTenantsToSync(db, viewer, chosen);
  if (tenants.length === 0) throw new Invalid({ tenants: "None of these tenants can be synced by you now." });
  const tenantIds = tenants.map(({ id }) => id);
  if (digestOfChoice(tenantIds) !== digest)
    throw new Invalid({ tenants: "The list has changed since you looked at it: it is these now." });
  const request: RunRequest = {
    operation: "tenants.bulk_sync",
    workspaceId: viewer.workspace.id,
    tenantId: null,
    initiator: viewer.user,
    trigger: "page",
    requestKey,
    expiresInHours,
    ...("again" in chosen && { rerunOf: chosen.again }),
    target: { tenantIds, types: await typesFor(db, viewer, chosen) },
  };
  return force ? requestRun(db, request) : requestUnlessIdentical(db, request, viewer);
}

/** What is asked for again reads the kinds of policy that it did: a schedule's may have been few. */
async function typesFor(reader: Reader, viewer: Viewer, chosen: TenantsChosen): Promise<PolicyType[]> {
  const run = "again" in chosen ? await findRunFor(reader, viewer, chosen.again) : undefined;
  const asked = knownTypesOf(run?.target);
  return asked.length === 0 ? [...policyTypes] : asked;
}
