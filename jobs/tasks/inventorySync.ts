import { z } from "zod";
import { markUnseenAsGone, recordPage } from "../../server/domain/inventory/recordPage.ts";
import {
  type PolicyType,
  ProviderError,
  type ProviderPolicy,
  type ProviderReader,
  policyTypes,
} from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({ types: z.array(z.enum(policyTypes)).min(1) });

/** Reads every policy of the chosen types into the inventory. A type it may not read is skipped and said so. */
export const inventorySync = withReauthorization("inventory.sync", async (run) => {
  const { types } = target.parse(run.target);
  const { provider } = await run.connect();
  const refusals: string[] = [];
  for (const type of types) {
    try {
      await syncType(run, provider, type);
    } catch (error) {
      if (!(error instanceof ProviderError) || error.code !== "permission_missing") throw error;
      refusals.push(`${type} could not be read: ${error.message}`);
    }
  }
  if (refusals.length === 0) return { outcome: "succeeded" };
  const message = refusals.join("; ");
  return refusals.length < types.length
    ? { outcome: "partially_succeeded", message }
    : { outcome: "failed", code: "provider_refused", message };
});

/**
 * A retry may get other pages than the attempt before: so these effects are keyed per attempt, and only an
 * attempt that listed a type to its end says what is gone.
 */
async function syncType(run: AuthorizedRun, provider: ProviderReader, type: PolicyType): Promise<void> {
  const listing = { runId: run.id, fencingToken: run.fencingToken, tenantId: run.tenantId, type };
  for await (const page of provider.listPolicies(type, run.signal)) {
    for (const [index, policies] of inParts(page.policies).entries()) {
      const name = `${type}:page:${page.number}:${index + 1}`;
      await run.effect(name, (tx) => recordPage(tx, listing, policies), { per: "attempt" });
    }
  }
  await run.effect(`${type}:gone`, (tx) => markUnseenAsGone(tx, listing), { per: "attempt" });
}

/** Effect transactions hold authority locks: they stay small, however large the provider's pages are. */
function inParts(policies: readonly ProviderPolicy[]): ProviderPolicy[][] {
  const parts: ProviderPolicy[][] = [];
  let room = 0;
  for (const policy of policies) {
    const size = JSON.stringify(policy.payload).length;
    const last = parts.at(-1);
    if (last === undefined || last.length >= 25 || size > room) {
      parts.push([policy]);
      room = 500_000 - size;
    } else {
      last.push(policy);
      room -= size;
    }
  }
  return parts;
}
