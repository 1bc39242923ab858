import type { JsonObject } from "../port.ts";
import { type Listed, unlessGone } from "./completion.ts";
import type { GraphClient } from "./graphClient.ts";
import { readCollection, readCollections } from "./pages.ts";
import { type PolicyRule, policyPath } from "./policyRules.ts";

/**
 * The assignments of each policy, in the same order: null where the type has none apart from itself, undefined
 * for a policy that has been deleted meanwhile.
 */
export async function readAssignments(
  client: GraphClient,
  rule: PolicyRule,
  policies: Listed[],
  signal: AbortSignal,
): Promise<(JsonObject[] | null | undefined)[]> {
  if (rule.assignmentsKey === null) return policies.map(() => null);
  const paths = policies.map(({ id }) => `${rule.path}/${encodeURIComponent(id)}/assignments`);
  const collections = await readCollections(client, rule.version, paths, signal);
  const assignments: (JsonObject[] | undefined)[] = [];
  for (const [index, { id }] of policies.entries()) {
    assignments.push(collections[index] ?? (await readAlone(client, policyPath(rule, id), signal)));
  }
  return assignments;
}

/** Asked for once more where they were not found: only when the policy is not there either, there are none. */
async function readAlone(
  client: GraphClient,
  policy: string,
  signal: AbortSignal,
): Promise<JsonObject[] | undefined> {
  const read = () => readCollection(client, `${policy}/assignments`, signal);
  return (await unlessGone(client, policy, signal, read)) ?? undefined;
}
