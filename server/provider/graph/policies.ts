import type { JsonObject, PolicyPage, PolicyType, ProviderPolicy } from "../port.ts";
import { ProviderError } from "../port.ts";
import { mapConcurrently } from "./concurrency.ts";
import type { GraphClient } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { readPages } from "./pages.ts";
import { type PolicyRule, policyRules } from "./policyRules.ts";

const completionsAtOnce = 4;

/**
 * Every policy of one type, page by page, each complete. Only one page is held at a time. Rejects with
 * `ProviderError`, or with the signal's reason when the caller aborts.
 */
export async function* listPolicies(
  client: GraphClient,
  type: PolicyType,
  signal: AbortSignal,
): AsyncGenerator<PolicyPage> {
  const rule = policyRules[type];
  let number = 0;
  for await (const objects of readPages(client, `${rule.path}?${rule.query}`, signal)) {
    number += 1;
    yield { number, policies: await completePolicies(client, rule, objects, signal) };
  }
}

async function completePolicies(
  client: GraphClient,
  rule: PolicyRule,
  objects: JsonObject[],
  signal: AbortSignal,
): Promise<ProviderPolicy[]> {
  const policies = objects.map((payload) => readPolicy(rule, payload));
  if (rule.completedBy === null) return policies;
  const { key, query } = rule.completedBy;
  const completed = await mapConcurrently(policies, completionsAtOnce, signal, async (policy, shared) => {
    const address = `${rule.path}/${encodeURIComponent(policy.id)}`;
    const parts = await readParts(client, address, `${key}?${query}`, shared);
    return parts === null ? [] : [{ ...policy, payload: { ...policy.payload, [key]: parts } }];
  });
  return completed.flat();
}

function readPolicy(rule: PolicyRule, payload: JsonObject): ProviderPolicy {
  const id = payload.id;
  const name = payload[rule.nameKey] ?? "";
  const odataType = payload["@odata.type"] ?? rule.impliedType;
  if (typeof id !== "string" || id === "" || typeof name !== "string" || typeof odataType !== "string") {
    throw malformedAnswer("A policy of the listing lacks its id, name or type");
  }
  return { id, name, odataType, payload };
}

/** The parts of one policy, or null when the policy was deleted since the page that lists it was read. */
async function readParts(
  client: GraphClient,
  policyPath: string,
  parts: string,
  signal: AbortSignal,
): Promise<JsonObject[] | null> {
  try {
    const all: JsonObject[] = [];
    for await (const page of readPages(client, `${policyPath}/${parts}`, signal)) all.push(...page);
    return all;
  } catch (error) {
    const refused = error instanceof ProviderError && error.code === "rejected";
    // The policy itself must be gone too: leaving it out for any other refusal would lose it silently.
    if (refused && (await client.isAbsent(client.addressOf(policyPath), signal))) return null;
    throw error;
  }
}
