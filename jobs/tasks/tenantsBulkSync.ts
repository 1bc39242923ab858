import { z } from "zod";
import { createChildren } from "../../server/domain/bulk/createChildren.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import { inSlices } from "../inParts.ts";
import { throughChildren } from "../withReauthorization.ts";

const target = z.object({
  tenantIds: z.array(z.uuid()).min(1),
  types: z.array(z.enum(policyTypes)).min(1),
});

/** Tenants per effect: few enough that its locks are short. */
const tenantsPerEffect = 20;

/** Asks for a sync at each of the tenants that were chosen. The last of them to end ends this run. */
export const tenantsBulkSync = throughChildren("tenants.bulk_sync", async (run) => {
  const { tenantIds, types } = target.parse(run.target);
  await run.total(tenantIds.length);
  for (const [index, part] of inSlices(tenantIds, tenantsPerEffect).entries())
    await run.effect(`children:${index + 1}`, (tx) => createChildren(tx, run.id, part, types));
});
