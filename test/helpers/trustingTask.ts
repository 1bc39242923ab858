import type { TaskList } from "graphile-worker";
import { z } from "zod";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { findCredential } from "../../server/domain/connections/findCredential.ts";
import { recordPage } from "../../server/domain/inventory/recordPage.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";

const payloadShape = z.looseObject({ runId: z.uuid(), tenantId: z.uuid().optional() });

/**
 * The vulnerable control: the sync everybody writes first. It was allowed when it was asked for, so it runs;
 * it believes its payload; it asks nobody again. Where the real task has no effect, this one must be seen to
 * have one, or the test proves nothing.
 */
export function makeTrustingTasks({ db, provider, credentialKeys }: WorkerDeps): TaskList {
  return {
    "inventory.sync": async (payload, helpers) => {
      const { runId, tenantId } = payloadShape.parse(payload);
      const [found] = await db.query<{ tenantId: string; connectionId: string }>(
        `select c.tenant_id as "tenantId", c.id as "connectionId" from operation_runs r
         join provider_connections c on c.tenant_id = coalesce($2, r.tenant_id) where r.id = $1`,
        [runId, tenantId ?? null],
      );
      if (found === undefined) return;
      const credential = await findCredential(db, credentialKeys, found.connectionId);
      if (credential === undefined) return;
      const reader = provider.openReader(credential);
      const signal = helpers.abortSignal ?? new AbortController().signal;
      for (const type of policyTypes) {
        const listing = { runId, fencingToken: "0", tenantId: found.tenantId, type };
        for await (const page of reader.listPolicies(type, signal))
          await db.transaction((tx) => recordPage(tx, listing, page.policies));
      }
    },
  };
}
