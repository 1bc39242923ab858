import { z } from "zod";
import { markUnseenAsGone, recordPage } from "../../server/domain/inventory/recordPage.ts";
import { type PolicyType, policyTypes, typeLabels } from "../../server/provider/policyTypes.ts";
import { isRefusalToShow, type ProviderReader } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { inParts } from "../inParts.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({ types: z.array(z.enum(policyTypes)).min(1) });

/** Reads every policy of the chosen types into the inventory. A type it is refused is skipped and said so. */
export const inventorySync = withReauthorization("inventory.sync", async (run) => {
  const { types } = target.parse(run.target);
  const { provider } = await run.connect();
  const refusals: string[] = [];
  for (const type of types) {
    try {
      await syncType(run, provider, type);
    } catch (error) {
      if (!isRefusalToShow(error)) throw error;
      refusals.push(`${typeLabels[type]} could not be read: ${error.message}`);
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
    for (const [index, policies] of inParts(page.policies, ({ payload }) => payload).entries()) {
      const name = `${type}:page:${page.number}:${index + 1}`;
      await run.effect(name, (tx) => recordPage(tx, listing, policies), { per: "attempt" });
    }
  }
  await run.effect(`${type}:gone`, (tx) => markUnseenAsGone(tx, listing), { per: "attempt" });
}
