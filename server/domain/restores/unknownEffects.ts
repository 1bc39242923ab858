import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { PolicyWrite } from "../../provider/port.ts";

/** A call that was sent and of which it is not known whether it was carried out: somebody has to look. */
export type UnknownEffect = {
  position: number;
  type: PolicyType;
  name: string;
  action: PolicyWrite["action"];
  reason: string | null;
  /** The object's id at the provider; null for one that was to be created. */
  providerId: string | null;
  /** By which Microsoft's support finds the call: its own id, or ours where it gave none. */
  requestId: string | null;
};

/** Those of a restore, in the order of its items; at most 200. */
export function unknownEffectsOf(reader: Reader, runId: string): Promise<UnknownEffect[]> {
  return reader.query<UnknownEffect>(
    `select i.position, i.type, i.name, e.intent ->> 'action' as action, e.reason,
       e.intent ->> 'id' as "providerId",
       coalesce(e.request_id, e.idempotency_key::text) as "requestId"
     from effects e
     join restore_items i on i.plan_id = (e.intent -> 'item' ->> 'planId')::uuid
       and i.position = (e.intent -> 'item' ->> 'position')::integer
     where e.run_id = $1 and e.state = 'unknown' and e.kind = 'provider'
     order by i.position limit 200`,
    [runId],
  );
}
