import { z } from "zod";
import type { ProviderGroup } from "../port.ts";
import { readInBatches } from "./batch.ts";
import type { Answer } from "./exchange.ts";
import { type GraphClient, jsonOf } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { readCollections } from "./pages.ts";

const group = z
  .object({ id: z.string(), displayName: z.string().nullable() })
  .transform(({ id, displayName }): ProviderGroup => ({ id, name: displayName ?? "" }));
const select = "$select=id,displayName";

/** Those of the groups that exist. */
export async function findGroupsById(
  client: GraphClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ProviderGroup[]> {
  const paths = [...new Set(ids)].map((id) => `/groups/${encodeURIComponent(id)}?${select}`);
  const answers = await readInBatches(client, "v1.0", paths, signal);
  return answers.flatMap((answer) => (isNoGroup(answer) ? [] : [readGroup(jsonOf(answer))]));
}

/** All groups that have one of the names. */
export async function findGroupsByName(
  client: GraphClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ProviderGroup[]> {
  const paths = [...new Set(names)].map((name) => {
    const filter = `displayName eq '${name.replaceAll("'", "''")}'`;
    return `/groups?$filter=${encodeURIComponent(filter)}&${select}`;
  });
  const collections = await readCollections(client, "v1.0", paths, signal);
  return collections.flatMap((groups) => (groups ?? []).map(readGroup));
}

/** Not found, or refused for an id that no group could have: nothing else of the call varies. */
function isNoGroup({ status }: Answer): boolean {
  return status === 404 || status === 400;
}

function readGroup(answer: unknown): ProviderGroup {
  const parsed = group.safeParse(answer);
  if (!parsed.success) throw malformedAnswer("The answer is not a group");
  return parsed.data;
}
