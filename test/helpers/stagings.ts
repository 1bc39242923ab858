import type { OperationName } from "../../server/domain/operations/catalog.ts";
import type { RunRequest } from "../../server/domain/operations/freezeRequest.ts";
import { defaultOptions } from "../../server/domain/restores/options.ts";
import { backUp, preview } from "./backups.ts";
import type { TestTenant } from "./factories.ts";
import type { Installation } from "./installation.ts";
import type { Northwind } from "./northwind.ts";

type Stage = Northwind & { source: TestTenant };
type Staging = (installation: Installation, stage: Stage) => Promise<Partial<RunRequest>>;

const types = ["deviceConfigurations", "deviceCompliancePolicies"] as const;

/** Brings about what an operation needs to be asked for, and says what is asked. */
export const stagings: Record<OperationName, Staging> = {
  "provider.connection.verify": async () => ({}),
  "inventory.sync": async () => ({ target: { types: [...types] } }),
  "backup.create": async () => ({ target: { types: [...types] } }),
  "restore.preview": async (installation, stage) => {
    const setId = await backUpAndChange(installation, stage);
    return {
      target: { setId, types: ["deviceConfigurations"], itemIds: null, options: defaultOptions },
      backupSetId: setId,
    };
  },
  "restore.execute": async (installation, stage) => {
    const setId = await backUpAndChange(installation, stage);
    const planId = await preview(installation, stage, { setId });
    const [plan] = await installation.db.query<{ digest: string }>(
      "select digest from restore_plans where id = $1",
      [planId],
    );
    if (plan === undefined) throw new Error("The preview came to nothing.");
    return {
      target: { planId, digest: plan.digest, types: ["deviceConfigurations"], reason: "put back" },
      backupSetId: setId,
    };
  },
};

async function backUpAndChange(installation: Installation, stage: Stage): Promise<string> {
  const setId = await backUp(installation, stage, ["deviceConfigurations"]);
  // As if it had been taken there.
  await installation.db.query("update backup_sets set tenant_id = $2 where id = $1", [setId, stage.source.id]);
  for (const id of ["first", "second"]) await putPolicy(installation, stage, id, "changed by somebody");
  return setId;
}

/** "third" is of another type than the two others. */
export async function putPolicy(
  { control }: Installation,
  { contoso }: Northwind,
  id: string,
  description: string,
): Promise<void> {
  const [type, kind] =
    id === "third"
      ? (["deviceCompliancePolicies", "windows10CompliancePolicy"] as const)
      : (["deviceConfigurations", "windows10GeneralConfiguration"] as const);
  const payload = {
    "@odata.type": `#microsoft.graph.${kind}`,
    displayName: `Policy ${id}`,
    description,
    passwordRequired: true,
  };
  await control.putPolicy(contoso.directoryId, type, id, payload, []);
}

/** Where a run of each operation is met in the middle: at a request to the provider, after its first effects. */
export type Midway = {
  path: string;
  /** How many such requests come before. */
  skip: number;
  effects: number;
  /** What its page then says had been done, before "access was revoked". */
  done: string;
};

export const midways: Record<OperationName, Midway> = {
  "provider.connection.verify": { path: "/organization", skip: 0, effects: 0, done: "Nothing" },
  "inventory.sync": {
    path: "/deviceCompliancePolicies",
    skip: 0,
    effects: 2,
    done: "2 policies had been recorded",
  },
  "backup.create": {
    path: "third/assignments",
    skip: 0,
    effects: 2,
    done: "2 policies had been backed up",
  },
  "restore.preview": {
    path: "second/assignments",
    skip: 0,
    effects: 2,
    done: "1 item had been looked at",
  },
  // The second time that it is read, to be kept before it is written over; the first was to see what has moved.
  "restore.execute": {
    path: "second/assignments",
    skip: 1,
    effects: 3,
    done: "1 of 2 items had been changed",
  },
};
