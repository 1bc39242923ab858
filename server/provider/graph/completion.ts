import { type JsonObject, ProviderError } from "../port.ts";
import { readInBatches } from "./batch.ts";
import { mapConcurrently } from "./concurrency.ts";
import type { Answer } from "./exchange.ts";
import { type GraphClient, jsonOf } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { isJsonObject } from "./json.ts";
import { readCollection, readCollections } from "./pages.ts";
import { type PolicyRule, policyPath } from "./policyRules.ts";

const collectionsAtOnce = 4;
const wentAway = "went_away";

export type Listed = { id: string; payload: JsonObject };

/** The payloads with what their listing leaves out; null for a policy that has been deleted meanwhile. */
export async function completePayloads(
  client: GraphClient,
  rule: PolicyRule,
  policies: Listed[],
  signal: AbortSignal,
): Promise<(JsonObject | null)[]> {
  const { completedBy } = rule;
  if (completedBy === null) return policies.map(({ payload }) => payload);
  if (completedBy.kind === "whole") return readWhole(client, rule, policies, signal);
  return mapConcurrently(policies, collectionsAtOnce, signal, async ({ id, payload }, shared) => {
    const path = policyPath(rule, id);
    if (completedBy.kind === "collection") {
      const { key, query } = completedBy;
      const parts = await unlessGone(client, path, shared, () =>
        readCollection(client, `${path}/${key}?${query}`, shared),
      );
      return parts === null ? null : { ...payload, [key]: parts };
    }
    const definitionValues = await unlessGone(client, path, shared, () =>
      readDefinitionValues(client, rule, id, shared),
    );
    return definitionValues === null ? null : { ...payload, definitionValues };
  });
}

/** What `read` gives, or null when it is refused because the policy itself is gone. */
export async function unlessGone<Result>(
  client: GraphClient,
  policy: string,
  signal: AbortSignal,
  read: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code !== "rejected" && error.detail !== wentAway) throw error;
    // Leaving a policy out for any other refusal would lose it silently.
    const answer = await client.get(client.addressOf(policy), signal);
    if (answer.status === 404) return null;
    throw error;
  }
}

/** The one policy that an answer is, as a listing would give it: without what is about the answer. */
export function objectOf(answer: Answer): JsonObject {
  const whole = jsonOf(answer);
  if (!isJsonObject(whole)) throw malformedAnswer("The answer is not a policy", answer);
  const { "@odata.context": _context, ...payload } = whole;
  return payload;
}

async function readWhole(
  client: GraphClient,
  rule: PolicyRule,
  policies: Listed[],
  signal: AbortSignal,
): Promise<(JsonObject | null)[]> {
  const paths = policies.map(({ id }) => `${rule.path}/${encodeURIComponent(id)}`);
  const answers = await readInBatches(client, rule.version, paths, signal);
  return answers.map((answer, index) =>
    answer.status === 404 ? null : requireObject(objectOf(answer), policies[index], answer),
  );
}

/** An error in an answer that says success would else be kept as the policy. */
function requireObject(payload: JsonObject, of: Listed | undefined, answer: Answer): JsonObject {
  if (payload.id === of?.id) return payload;
  throw malformedAnswer("The answer is not the policy that was asked for", answer);
}

async function readDefinitionValues(
  client: GraphClient,
  rule: PolicyRule,
  id: string,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const values = await readCollection(
    client,
    `${policyPath(rule, id)}/definitionValues?$expand=definition`,
    signal,
  );
  const paths = values.map((value) => {
    if (typeof value.id !== "string") throw malformedAnswer("A definition value lacks its id");
    const path = `${rule.path}/${encodeURIComponent(id)}/definitionValues/${encodeURIComponent(value.id)}`;
    return `${path}/presentationValues?$expand=presentation`;
  });
  const presentations = await readCollections(client, rule.version, paths, signal);
  return values.map((value, index) => {
    const presentationValues = presentations[index] ?? null;
    // Leaving it out would lose it silently; who tries again finds it, or finds it gone.
    if (presentationValues === null) {
      throw new ProviderError("unavailable", "A definition value went away while it was read", {
        detail: wentAway,
      });
    }
    return { ...value, presentationValues };
  });
}
