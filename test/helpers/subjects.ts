import { v7 as uuidv7 } from "uuid";
import { recordPage } from "../../server/domain/inventory/recordPage.ts";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import type { RunRequest } from "../../server/domain/operations/freezeRequest.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { defaultOptions } from "../../server/domain/restores/options.ts";
import type { ProviderPolicy } from "../../server/provider/port.ts";
import { backUp, preview } from "./backups.ts";
import { pilots, putPolicy, select, type } from "./bulk.ts";
import type { TestTenant } from "./factories.ts";
import type { Installation } from "./installation.ts";
import type { Northwind } from "./northwind.ts";
import { drainQueue } from "./queue.ts";
import { aRequest } from "./requests.ts";
import { copySet, createPlan, createSet } from "./sets.ts";

/** Where an operation is asked for: `first` and `second` are of one type, `third` is of another. */
export type Stage = Northwind & {
  source: TestTenant;
  /** Nothing is at the tenant, and rows stand for what runs before this one would have made. */
  isBare: boolean;
};

/** What the contract matrix knows of an operation. */
export type Subject = {
  /** Brings about what it needs to be asked for, and says what is asked. */
  stage(installation: Installation, stage: Stage): Promise<Partial<RunRequest>>;
  /** Where a run of it is met in the middle, after its first effects. */
  midway: {
    /** A request to the provider, after so many of its like; null: as it is about to have its next effect. */
    at: { path: string; skip: number } | null;
    effects: number;
    /** What its page then says had been done, before "access was revoked". */
    done: string;
  };
  /** How it ends when it is allowed to. */
  outcome: "succeeded" | "partially_succeeded";
};

const bothTypes = { target: { types: [type, "deviceCompliancePolicies"] } };

/** Every operation of the catalog. One without its subject does not compile, and fails the suite. */
export const subjects: Record<OperationName, Subject> = {
  "provider.connection.verify": {
    stage: async () => ({}),
    midway: { at: { path: "/organization", skip: 0 }, effects: 0, done: "Nothing" },
    outcome: "succeeded",
  },
  "inventory.sync": {
    stage: async () => bothTypes,
    midway: {
      at: { path: "/deviceCompliancePolicies", skip: 0 },
      effects: 2,
      done: "2 policies had been recorded",
    },
    outcome: "succeeded",
  },
  "backup.create": {
    stage: async () => bothTypes,
    midway: { at: { path: "third/assignments", skip: 0 }, effects: 2, done: "2 policies had been backed up" },
    outcome: "succeeded",
  },
  "restore.preview": {
    async stage(installation, stage) {
      const setId = await backUpAndChange(installation, stage);
      const target = { setId, types: [type], itemIds: null, options: defaultOptions };
      return { target, backupSetId: setId };
    },
    midway: { at: { path: "second/assignments", skip: 0 }, effects: 2, done: "1 item had been looked at" },
    outcome: "succeeded",
  },
  "restore.execute": {
    async stage(installation, stage) {
      const setId = await backUpAndChange(installation, stage);
      const plan = await previewRestore(installation, stage, setId);
      const target = { planId: plan.id, digest: plan.digest, types: [type], reason: "put back" };
      return { target, backupSetId: setId };
    },
    // It is read to see what has moved, then again, to be kept, before it is written over.
    midway: {
      at: { path: "second/assignments", skip: 1 },
      effects: 3,
      done: "1 of 2 items had been changed",
    },
    outcome: "succeeded",
  },
  "tenants.bulk_sync": {
    // All but the last are left out: they are nobody's, and come first so that no child is under way.
    async stage(_installation, { contoso }) {
      const strangers = Array.from({ length: 20 }, () => uuidv7());
      return { tenantId: null, target: { tenantIds: [...strangers, contoso.id], types: [type] } };
    },
    midway: { at: null, effects: 1, done: "0 of 21 tenants had been synced" },
    outcome: "partially_succeeded",
  },
  "policies.bulk_assign": {
    async stage(installation, stage) {
      const pilotGroup = { id: pilots, displayName: "Pilots" };
      await installation.control.putGroup(stage.contoso.directoryId, pilotGroup);
      await readInventory(installation, stage);
      const selected = await select(installation, stage, "policies.bulk_assign");
      return { target: { ...selected, types: [type], include: [pilots], exclude: [], reason: "roll-out" } };
    },
    midway: {
      at: { path: "second/assignments", skip: 1 },
      effects: 4,
      done: "1 of 2 items had been changed",
    },
    outcome: "succeeded",
  },
  "policies.bulk_delete": {
    async stage(installation, stage) {
      await readInventory(installation, stage);
      const selected = await select(installation, stage, "policies.bulk_delete");
      return { target: { ...selected, types: [type], reason: "clean-up" } };
    },
    midway: {
      at: { path: "second/assignments", skip: 1 },
      effects: 3,
      done: "1 of 2 items had been deleted",
    },
    outcome: "succeeded",
  },
  "backups.bulk_delete": {
    async stage({ db }, { contoso }) {
      const setIds: string[] = [];
      for (let number = 1; number <= 11; number += 1)
        setIds.push((await createSet(db, { tenant: contoso })).id);
      return { target: { setIds, reason: "clean-up" } };
    },
    midway: { at: null, effects: 1, done: "10 of 11 backups had been deleted" },
    outcome: "succeeded",
  },
};

async function backUpAndChange(installation: Installation, stage: Stage): Promise<string> {
  const { db } = installation;
  const { source, contoso } = stage;
  if (stage.isBare) return (await createSet(db, { tenant: source, items: [{ name: "Policy first" }] })).id;
  const taken = await backUp(installation, stage, [type]);
  for (const id of ["first", "second"]) await putPolicy(installation, stage, id, { description: "changed" });
  return source === contoso ? taken : copySet(db, taken, source);
}

async function previewRestore(
  installation: Installation,
  stage: Stage,
  setId: string,
): Promise<{ id: string; digest: string }> {
  const { db } = installation;
  const { source, contoso: target } = stage;
  if (stage.isBare) return createPlan(db, { set: { id: setId }, source, target });
  const id = await preview(installation, stage, { setId });
  const [plan] = await db.query<{ digest: string }>("select digest from restore_plans where id = $1", [id]);
  return { id, digest: plan?.digest ?? "" };
}

async function readInventory({ db, worker }: Installation, stage: Stage): Promise<void> {
  if (stage.isBare) {
    const listing = { runId: uuidv7(), fencingToken: "1", tenantId: stage.contoso.id, type } as const;
    await db.transaction((tx) => recordPage(tx, listing, [somePolicy]));
    return;
  }
  await requestRun(db, aRequest(stage, { initiator: stage.olivia, target: { types: [type] } }));
  await drainQueue(worker);
}

const somePolicy: ProviderPolicy = {
  id: "first",
  name: "Policy first",
  odataType: "#microsoft.graph.windows10GeneralConfiguration",
  payload: {},
  matchKey: "policy first",
  normalised: {},
  notCaptured: [],
  assignments: null,
};
