import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import { type Run, runColumns } from "../../server/domain/operations/run.ts";
import { backUp, preview, putDirectory } from "../helpers/backups.ts";
import type { Installation } from "../helpers/installation.ts";
import type { Northwind } from "../helpers/northwind.ts";
import { giveOwnRole } from "../helpers/roles.ts";

/** Restores with the real task, of policies that each take two calls: creating it, then assigning it. */

export const type = "deviceConfigurations";
const group = { id: "11111111-0000-4000-8000-000000000001", displayName: "All staff" };

/** Lets Omar restore, and gives the tenant so many policies, each for a group. */
export async function seedPolicies(
  { db, control }: Pick<Installation, "db" | "control">,
  world: Northwind,
  items: number,
): Promise<void> {
  await giveOwnRole(db, world);
  await putDirectory({ control }, world.contoso, { groups: [group] });
  for (let item = 1; item <= items; item += 1) {
    const id = crypto.randomUUID();
    const target = { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: group.id };
    const odataType = "#microsoft.graph.windows10GeneralConfiguration";
    const payload = { "@odata.type": odataType, displayName: `Policy ${item}`, passwordRequired: true };
    const assignment = { id: `${id}_${group.id}`, source: "direct", sourceId: id, target };
    await control.putPolicy(world.contoso.directoryId, type, id, payload, [assignment]);
  }
}

export async function deletePolicies(
  { control }: Pick<Installation, "control">,
  { contoso: { directoryId } }: Northwind,
): Promise<void> {
  for (const { id } of await control.listPolicies(directoryId, type))
    await control.removePolicy(directoryId, type, id);
}

/** A preview of a restore: so many policies are backed up, then gone. */
export async function planRestore(
  installation: Installation,
  world: Northwind,
  items: number,
): Promise<string> {
  await seedPolicies(installation, world, items);
  const setId = await backUp(installation, world, [type]);
  await deletePolicies(installation, world);
  return preview(installation, world, { setId, types: [type] });
}

/** Whether the sandbox is holding a request back because of the fault, as set when the log was empty. */
export function isHeld(
  { sandbox }: Pick<Installation, "sandbox">,
  { contoso: { directoryId } }: Northwind,
  { on = "graph", method, path = "", skip = 0 }: FaultInput,
): boolean {
  const concerned = sandbox.requests
    .list(directoryId)
    .filter(
      (asked) =>
        asked.kind === on &&
        (method === undefined || asked.method === method) &&
        `${asked.path}${asked.query}`.includes(path),
    );
  const held = concerned[skip];
  return held !== undefined && held.status === null && !held.broken;
}

export async function getStoredRun({ db }: Pick<Installation, "db">, id: string): Promise<Run> {
  const [run] = await db.query<Run>(`select ${runColumns} from operation_runs where id = $1`, [id]);
  if (run === undefined) throw new Error(`There is no run ${id}.`);
  return run;
}

/** Whether a record of the sandbox is of a call that changes something there. */
export function isWrite({ kind, method, path }: { kind: string; method: string; path: string }): boolean {
  return kind === "graph" && method !== "GET" && !path.endsWith("/$batch");
}
