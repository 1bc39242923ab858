import { z } from "zod";
import { restoreOptions } from "../../server/domain/restores/options.ts";
import { digestOfPlan } from "../../server/domain/restores/planRow.ts";
import { beginPlan, completePlan } from "../../server/domain/restores/recordPlan.ts";
import { findSourceTenant, listChosen, readTenantName } from "../../server/domain/restores/sourceItems.ts";
import { makeTargetBook } from "../../server/domain/restores/targetBook.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import { planType } from "../restores/planItems.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({
  setId: z.uuid(),
  types: z.array(z.enum(policyTypes)).min(1),
  itemIds: z.array(z.uuid()).nullable(),
  options: restoreOptions,
});

/**
 * Finds out what a restore would do, item by item, and freezes it in a plan that has the run's id. Reads the
 * target and writes nothing there. An attempt that comes again plans afresh: the target may have moved.
 */
export const restorePreview = withReauthorization("restore.preview", async (run) => {
  const { setId, types, itemIds, options } = target.parse(run.target);
  const plan = { id: run.id, sourceSetId: setId, options };
  await run.effect("plan", (tx) => beginPlan(tx, plan), { per: "attempt" });
  const chosen = await run.read((reader) => listChosen(reader, { setId, types, itemIds }));
  await run.total(chosen.length);
  const sourceTenant = await run.read((reader) => findSourceTenant(reader, setId));
  const tenantName = await run.read((reader) => readTenantName(reader, run.tenantId));
  const { provider, model } = await run.connect();
  const { roles: granted } = await provider.readGrantedAccess(run.signal);
  const isElsewhere = sourceTenant !== run.tenantId;
  const book = makeTargetBook(provider, { tenantName, isElsewhere }, run.signal);
  const digests: string[] = [];
  const planning = { run, provider, model, granted, setId, options, book, digests };
  const byType = Map.groupBy(chosen, ({ type }) => type);
  for (const type of policyTypes) await planType(planning, type, byType.get(type) ?? []);
  await run.effect("complete", (tx) => completePlan(tx, run.id, digestOfPlan(plan, digests)), {
    per: "attempt",
  });
  return { outcome: "succeeded" };
});
