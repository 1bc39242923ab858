import type { Db } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Invalid, NotFound } from "../errors.ts";
import type { RunRequest } from "../operations/freezeRequest.ts";
import { type Identical, requestUnlessIdentical } from "../operations/identicalRuns.ts";
import { type RequestOutcome, requestRun } from "../operations/requestRun.ts";

export type BackupRequest = {
  tenantId: string;
  types: readonly string[];
  requestKey: string;
  expiresInHours: number;
  /** Also when one that does the same is open. */
  force: boolean;
};

/** Asks for a backup of a tenant's policies of some types. Throws `Invalid` (`types`). */
export function requestBackup(
  db: Db,
  viewer: Viewer,
  asked: BackupRequest,
): Promise<RequestOutcome | Identical> {
  if (viewer.workspace === null) throw new NotFound();
  const { tenantId, requestKey, expiresInHours } = asked;
  const request: RunRequest = {
    operation: "backup.create",
    workspaceId: viewer.workspace.id,
    tenantId,
    initiator: viewer.user,
    trigger: "page",
    requestKey,
    expiresInHours,
    target: { types: chosenTypes(asked.types) },
  };
  return asked.force ? requestRun(db, request) : requestUnlessIdentical(db, request, viewer);
}

/** The types in the order of restoring, once each. Throws `Invalid` (`types`) for none or an unknown one. */
export function chosenTypes(types: readonly string[]): PolicyType[] {
  const chosen = policyTypes.filter((type) => types.includes(type));
  if (chosen.length === 0) throw new Invalid({ types: "Choose at least one type of policy." });
  if (types.some((type) => !chosen.some((known) => known === type)))
    throw new Invalid({ types: "There is no such type of policy." });
  return chosen;
}
