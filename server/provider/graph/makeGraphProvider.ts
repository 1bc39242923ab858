import { z } from "zod";
import type { Provider, ProviderReader } from "../port.ts";
import { parseBaseAddress } from "./addresses.ts";
import { type GraphClient, jsonOf, makeGraphClient } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { findGroupsById, findGroupsByName } from "./groups.ts";
import { matchKeyOf } from "./matchKey.ts";
import { normalise } from "./normalise.ts";
import { planWrites } from "./planWrites.ts";
import { listIdentities, listPolicies, readPolicy } from "./policies.ts";
import { defaultTimings, type Timings } from "./timings.ts";
import { makeWriter } from "./writer.ts";

export type GraphProviderOptions = {
  /** Where Graph answers, e.g. `https://graph.microsoft.com`; also the resource that tokens are asked for. */
  graphUrl: string;
  /** Where tokens are issued, e.g. `https://login.microsoftonline.com`. */
  loginUrl: string;
  /** Milliseconds; what is left out keeps its default. */
  timings?: Partial<Timings>;
};

const organizationAnswer = z.object({
  value: z.tuple([z.object({ id: z.string(), displayName: z.string() })], z.unknown()),
});

/**
 * Microsoft Graph over HTTP. Throws at once when an address is neither https nor loopback. The readers it
 * opens reject with `ProviderError`, or with the signal's own reason when the caller aborts; its writers always
 * with `ProviderError`.
 */
export function makeGraphProvider({ graphUrl, loginUrl, timings }: GraphProviderOptions): Provider {
  const login = {
    graph: parseBaseAddress("GRAPH_URL", graphUrl),
    login: parseBaseAddress("LOGIN_URL", loginUrl),
    timings: { ...defaultTimings, ...timings },
  };
  return {
    model: { matchKeyOf, normalise, planWrites },
    openReader: (credential) => makeReader(makeGraphClient(credential, login)),
    openWriter: (credential) => makeWriter(makeGraphClient(credential, login)),
  };
}

function makeReader(client: GraphClient): ProviderReader {
  return {
    readGrantedAccess: (signal) => client.tokens.readGrantedAccess(signal),
    readOrganization: (signal) => readOrganization(client, signal),
    listPolicies: (type, signal, options = { assignments: false }) =>
      listPolicies(client, type, signal, options),
    listIdentities: (type, signal) => listIdentities(client, type, signal),
    readPolicy: (type, id, signal) => readPolicy(client, type, id, signal),
    findGroupsById: (ids, signal) => findGroupsById(client, ids, signal),
    findGroupsByName: (names, signal) => findGroupsByName(client, names, signal),
  };
}

async function readOrganization(client: GraphClient, signal: AbortSignal) {
  const address = client.addressOf("/v1.0/organization?$select=id,displayName");
  const answer = organizationAnswer.safeParse(jsonOf(await client.get(address, signal)));
  if (!answer.success) throw malformedAnswer("The answer does not name an organization");
  const [organization] = answer.data.value;
  return { directoryId: organization.id, displayName: organization.displayName };
}
