import { z } from "zod";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { StoredPolicy } from "./directories.ts";
import { isJsonObject, objectsIn } from "./graph/call.ts";
import { definitionIdOf, keptValue, presentationIdOf } from "./graph/definitionValues.ts";
import type { SandboxState } from "./state.ts";

const anObject = z.record(z.string(), z.json());

/** A policy as a test or the demo puts it there; without assignments it has those within it, or none. */
export const givenPolicy = z.object({ payload: anObject, assignments: z.array(anObject).optional() });

/**
 * Makes a policy that came from elsewhere one that exists here: the schema learns its properties, the
 * catalogue what its definition values are of. These may be given as Graph shows them, or as they are written.
 */
export function takePolicy(
  { schema, definitions }: SandboxState,
  type: PolicyType,
  id: string,
  given: z.infer<typeof givenPolicy>,
): StoredPolicy {
  const { assignments, ...own } = given.payload;
  const payload: JsonObject = { ...own, id };
  schema.learn(type, payload);
  if (type === "groupPolicyConfigurations") {
    const values = isJsonObject(payload.definitionValues)
      ? [payload.definitionValues]
      : payload.definitionValues;
    payload.definitionValues = objectsIn(values).map((value) => {
      definitions.learn(definitionIdOf(value), objectsIn(value.presentationValues).map(presentationIdOf));
      return keptValue(definitions, value);
    });
  }
  return { payload, assignments: given.assignments ?? objectsIn(assignments) };
}
