import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../../db/database.ts";
import { type Decision, decide } from "../authority/decide.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import { contractOf, isOperationName } from "../operations/catalog.ts";
import type { ShownSchedule } from "./findScheduleFor.ts";

/**
 * What the gate would say if the schedule asked for a run now and it began at once; of a paused one, if it were
 * active. The same facts, the same rules; takes no locks and promises nothing. Null for an operation that this
 * release does not have.
 */
export async function previewSchedule(
  reader: Reader,
  { id: scheduleId, operation, workspaceId, tenantId, connectionId }: ShownSchedule,
): Promise<Decision | null> {
  if (!isOperationName(operation)) return null;
  const subject = {
    id: uuidv7(),
    contract: contractOf(operation),
    authorityMode: "system_authority" as const,
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
    scheduleId,
  };
  const facts = (await gatherFacts(reader, [subject], "begin")).get(subject.id);
  if (facts === undefined) throw new Error("The facts about a schedule were not found.");
  return decide({ ...facts, schedule: facts.schedule === null ? null : { status: "active" } });
}
