import type { Db, Reader } from "../../db/database.ts";
import { recordPage } from "../../domain/inventory/recordPage.ts";
import { policyTypes } from "../../provider/policyTypes.ts";
import type { PolicyModel, Provider, ProviderPolicy } from "../../provider/port.ts";
import type { Tenant } from "./cast.ts";
import { secretOf } from "./directories.ts";
import { withPayload } from "./withPayload.ts";

/**
 * The inventory as past syncs left it. The directory has moved on since by one policy of each kind of change,
 * so that the next sync has something to say.
 */
export async function rememberInventory(db: Db, provider: Provider, tenant: Tenant): Promise<void> {
  const [first, ...later] = await listSyncs(db, tenant);
  if (first === undefined) return;
  const last = later.at(-1) ?? first;
  const reader = provider.openReader({
    directoryId: tenant.directoryId,
    clientId: tenant.connection.clientId,
    proof: { kind: "secret", secret: secretOf(tenant) },
  });
  for (const type of policyTypes) {
    const listed: ProviderPolicy[] = [];
    for await (const page of reader.listPolicies(type, AbortSignal.timeout(10_000)))
      listed.push(...page.policies);
    const policies = type === "deviceConfigurations" ? asBefore(provider.model, listed) : listed;
    const listing = { runId: first.id, fencingToken: "1", tenantId: tenant.id, type };
    await db.transaction(async (tx) => {
      await recordPage(tx, listing, policies);
      await tx.query(
        `update inventory_items set first_seen_at = $3, changed_at = $3, last_seen_at = $4, last_seen_run_id = $5
         where tenant_id = $1 and type = $2`,
        [tenant.id, type, first.at, last.at, last.id],
      );
    });
  }
}

function listSyncs(reader: Reader, tenant: Tenant): Promise<{ id: string; at: Date }[]> {
  return reader.query(
    `select id, completed_at as at from operation_runs
     where tenant_id = $1 and operation = 'inventory.sync' and outcome in ('succeeded', 'partially_succeeded')
     order by id limit 100`,
    [tenant.id],
  );
}

function asBefore(model: PolicyModel, listed: readonly ProviderPolicy[]): ProviderPolicy[] {
  const [first, second, ...others] = listed;
  if (first === undefined || second === undefined) return [];
  const type = "deviceConfigurations";
  const gone = { ...second, id: `${second.id.slice(0, -4)}0000`, name: `${second.name} (old)` };
  return [
    withPayload(model, type, first, { ...first.payload, description: "Owned by the endpoint team." }),
    withPayload(model, type, gone, { ...second.payload, id: gone.id, displayName: gone.name }),
    ...others,
  ];
}
