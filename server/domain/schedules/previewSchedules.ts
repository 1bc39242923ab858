import type { Reader } from "../../db/database.ts";
import { type Decision, decide } from "../authority/decide.ts";
import { gatherFacts, type Subject } from "../authority/gatherFacts.ts";
import { contractOf, isOperationName } from "../operations/catalog.ts";
import type { ListedSchedule } from "./listedSchedule.ts";

/**
 * What the gate would say of each schedule if it asked for a run now and that began at once; of a paused one, if
 * it were active. The same facts, the same rules; takes no locks and promises nothing. Without an answer for
 * operations that this release does not have.
 */
export async function previewSchedules(
  reader: Reader,
  schedules: readonly ListedSchedule[],
): Promise<Map<string, Decision>> {
  const facts = await gatherFacts(reader, schedules.flatMap(subjectsOf), "begin");
  return new Map(
    [...facts].map(([id, found]) => [
      id,
      decide({ ...found, schedule: found.schedule === null ? null : { status: "active" } }),
    ]),
  );
}

function subjectsOf({ id, operation, workspaceId, tenantId, connectionId }: ListedSchedule): Subject[] {
  if (!isOperationName(operation)) return [];
  return [
    {
      id,
      contract: contractOf(operation),
      authorityMode: "system_authority",
      workspaceId,
      tenantId,
      initiatorId: null,
      connectionId,
      // A request made now has not expired, nor has its target changed.
      requestExpiresAt: new Date(8.64e15),
      targetIntact: true,
      writeRoles: [],
      hasBegun: false,
      backupSetId: null,
      plan: null,
      selection: null,
      tenantIds: [],
      scheduleId: id,
    },
  ];
}
