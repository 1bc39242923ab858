import type { AuthorityMode, OperationContract } from "../../server/domain/authority/contract.ts";
import { contractOf, type OperationName } from "../../server/domain/operations/catalog.ts";
import type { RunRequest } from "../../server/domain/operations/freezeRequest.ts";
import { putPolicy } from "./bulk.ts";
import { addMember, createTenant, type TestTenant } from "./factories.ts";
import type { Installation } from "./installation.ts";
import { type Northwind, seedNorthwind } from "./northwind.ts";
import { createSchedule } from "./schedules.ts";
import { subjects } from "./subjects.ts";

/** `scheduled`: a schedule asks. `elsewhere`: what is restored is a backup of another tenant. */
export type Setting = "scheduled" | "elsewhere";

/** All that an operation needs to be asked for, at a tenant with three policies. Omar, a manager, asks. */
export type Scene = Northwind & {
  operation: OperationName;
  contract: OperationContract;
  mode: AuthorityMode;
  /** Whose backup is restored. */
  source: TestTenant;
  schedule: string | null;
  asking: Partial<RunRequest>;
};

export async function setScene(
  installation: Installation,
  kind: {
    operation: OperationName;
    mode: AuthorityMode;
    setting?: Setting | undefined;
    /** No run of it will begin: rows in the place of what real runs would have made. */
    isBare?: boolean;
  },
): Promise<Scene> {
  const { db, control } = installation;
  const { operation, mode, setting, isBare = false } = kind;
  const world = await seedNorthwind(installation, { policies: 0, omar: "manager" });
  const source = setting === "elsewhere" ? await addSource(installation, world) : world.contoso;
  if (!isBare) await putPolicies(installation, world);
  const asking = await subjects[operation].stage(installation, { ...world, source, isBare });
  const schedule =
    setting === "scheduled"
      ? await createSchedule(db, {
          workspace: world.northwind,
          tenant: asking.tenantId === null ? null : world.contoso,
          steward: world.olivia,
          operation,
        })
      : null;
  if (!isBare) await control.clearRequests();
  return {
    ...world,
    operation,
    contract: contractOf(operation),
    mode,
    source,
    schedule: schedule?.id ?? null,
    asking,
  };
}

async function putPolicies(installation: Installation, world: Northwind): Promise<void> {
  for (const id of ["first", "second"]) await putPolicy(installation, world, id);
  const { directoryId } = world.contoso;
  await installation.control.putPolicy(
    directoryId,
    "deviceCompliancePolicies",
    "third",
    compliancePolicy,
    [],
  );
}

const compliancePolicy = {
  "@odata.type": "#microsoft.graph.windows10CompliancePolicy",
  displayName: "Policy third",
  passwordRequired: true,
};

/** Another tenant, for which Omar has a role of its own; the one he has for all of them is taken away. */
async function addSource({ db }: Installation, { northwind, omar, contoso }: Northwind): Promise<TestTenant> {
  const source = await createTenant(db, { workspace: northwind, name: "Fabrikam" });
  await db.query("delete from role_assignments where user_id = $1", [omar.id]);
  for (const tenant of [contoso, source])
    await addMember(db, { workspace: northwind, user: omar, role: "manager", tenant });
  return source;
}
