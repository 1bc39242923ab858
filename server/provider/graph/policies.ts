import type { PolicyType } from "../policyTypes.ts";
import type { JsonObject, PolicyIdentity, PolicyPage, ProviderPolicy } from "../port.ts";
import { readAssignments } from "./assignments.ts";
import { boundedClient } from "./boundedClient.ts";
import { completePayloads, objectOf } from "./completion.ts";
import type { GraphClient } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { matchKeyOf } from "./matchKey.ts";
import { normalise } from "./normalise.ts";
import { notCaptured } from "./notCaptured.ts";
import { readPages } from "./pages.ts";
import { collectionPath, type PolicyRule, policyPath, policyRules } from "./policyRules.ts";

/**
 * Every policy of one type, page by page, each complete. Only one page is held at a time. Rejects with
 * `ProviderError`, or with the signal's reason when the caller aborts.
 */
export async function* listPolicies(
  client: GraphClient,
  type: PolicyType,
  signal: AbortSignal,
  options: { assignments: boolean },
): AsyncGenerator<PolicyPage> {
  const rule = policyRules[type];
  let number = 0;
  for await (const objects of readPages(client, withQuery(collectionPath(rule), listQuery(rule)), signal)) {
    number += 1;
    yield { number, policies: await completePolicies(client, type, objects, signal, options) };
  }
}

/** Every policy's id and match key, by a listing that asks for nothing else. */
export async function* listIdentities(
  client: GraphClient,
  type: PolicyType,
  signal: AbortSignal,
): AsyncGenerator<PolicyIdentity[]> {
  const rule = policyRules[type];
  const keys = rule.matchKey.map(([key]) => key).filter((key) => !key.startsWith("@"));
  const query = [`$select=${["id", ...keys].join(",")}`, ...pageSize(rule)];
  for await (const objects of readPages(client, withQuery(collectionPath(rule), query), signal)) {
    yield objects.map((payload) => ({ id: identify(rule, payload).id, matchKey: matchKeyOf(type, payload) }));
  }
}

/** One policy, complete and with its assignments; null when it is not there. */
export async function readPolicy(
  client: GraphClient,
  type: PolicyType,
  id: string,
  signal: AbortSignal,
): Promise<ProviderPolicy | null> {
  const rule = policyRules[type];
  const address = client.addressOf(withQuery(policyPath(rule, id), expansion(rule)));
  const answer = await client.get(address, signal);
  if (answer.status === 404) return null;
  const payload = objectOf(answer);
  const [policy] = await completePolicies(client, type, [payload], signal, { assignments: true });
  return policy ?? null;
}

// In characters: twice what fifty of the largest policies known would take.
const maxBelonging = 48 * 1024 * 1024;

/** Without those that were deleted since the page that lists them was read. */
async function completePolicies(
  client: GraphClient,
  type: PolicyType,
  objects: JsonObject[],
  signal: AbortSignal,
  options: { assignments: boolean },
): Promise<ProviderPolicy[]> {
  const rule = policyRules[type];
  const policies = objects.map((payload) => ({ ...identify(rule, payload), payload }));
  const bounded = boundedClient(client, maxBelonging);
  const payloads = await completePayloads(bounded, rule, policies, signal);
  const assignments = options.assignments ? await readAssignments(bounded, rule, policies, signal) : null;
  return policies.flatMap(({ id, name, odataType }, index) => {
    const payload = payloads[index] ?? null;
    const assigned = assignments === null ? null : assignments[index];
    if (payload === null || assigned === undefined) return [];
    const normalised = normalise(type, payload);
    const matchKey = requireStorable(matchKeyOf(type, payload));
    const withheld = notCaptured(payload);
    return [
      { id, name, odataType, payload, matchKey, normalised, notCaptured: withheld, assignments: assigned },
    ];
  });
}

function identify(rule: PolicyRule, payload: JsonObject): { id: string; name: string; odataType: string } {
  const id = payload.id;
  const name = payload[rule.nameKey] ?? "";
  const odataType = payload["@odata.type"] ?? rule.impliedType;
  if (typeof id !== "string" || id === "" || typeof name !== "string" || typeof odataType !== "string") {
    throw malformedAnswer("A policy of the listing lacks its id, name or type");
  }
  for (const text of [id, name, odataType]) requireStorable(text);
  return { id, name, odataType };
}

// In bytes: what policies are found by is in indexes, which take no more. The longest name Intune allows is a quarter.
const longestKey = 2_000;

function requireStorable(text: string): string {
  if (Buffer.byteLength(text) <= longestKey) return text;
  throw malformedAnswer("A policy's name, type or id is longer than any");
}

function listQuery(rule: PolicyRule): string[] {
  return [...expansion(rule), ...pageSize(rule)];
}

function expansion({ expand }: PolicyRule): string[] {
  return expand === null ? [] : [`$expand=${expand}`];
}

function pageSize({ pageSize }: PolicyRule): string[] {
  return pageSize === null ? [] : [`$top=${pageSize}`];
}

function withQuery(path: string, parts: string[]): string {
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}
