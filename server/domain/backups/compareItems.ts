import type { Reader } from "../../db/database.ts";
import type { JsonObject } from "../../provider/port.ts";
import { comparable } from "./assignment.ts";
import type { Other } from "./compareSets.ts";
import type { FieldChange } from "./fieldDiff.ts";
import { namedDiff } from "./namedDiff.ts";

type Side = { tenantId: string; normalised: JsonObject; assignments: JsonObject[] | null };

/**
 * How a policy of a set differs from its counterpart, field by field; one of the two may be absent. Assignments
 * are compared between two sets of one tenant only. Undefined when a side that was named is not there.
 */
export async function diffItems(
  reader: Reader,
  setId: string,
  other: Other,
  { leftId, rightId }: { leftId: string | null; rightId: string | null },
): Promise<FieldChange[] | undefined> {
  const left = leftId === null ? null : await findBackedUp(reader, setId, leftId);
  const right = rightId === null ? null : await findOther(reader, other, rightId);
  if (left === undefined || right === undefined) return undefined;
  const together = "setId" in other && (left === null || right === null || left.tenantId === right.tenantId);
  return namedDiff(shown(left, together), shown(right, together));
}

function shown(side: Side | null, withAssignments: boolean): JsonObject {
  if (side === null) return {};
  if (!withAssignments || side.assignments === null) return side.normalised;
  const assignments = side.assignments.map(comparable);
  // In the order of what they say: the provider gives them in any.
  assignments.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { ...side.normalised, assignments };
}

function findOther(reader: Reader, other: Other, id: string): Promise<Side | undefined> {
  return "setId" in other ? findBackedUp(reader, other.setId, id) : findListed(reader, other.inventoryOf, id);
}

async function findBackedUp(reader: Reader, setId: string, id: string): Promise<Side | undefined> {
  const [side] = await reader.query<Side>(
    `select tenant_id as "tenantId", normalised, assignments from backup_items where set_id = $1 and id = $2`,
    [setId, id],
  );
  return side;
}

async function findListed(reader: Reader, tenantId: string, id: string): Promise<Side | undefined> {
  const [side] = await reader.query<Side>(
    `select tenant_id as "tenantId", normalised, null as assignments from inventory_items
     where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return side;
}
