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

/** Those of a restore or of a run that works on a selection, in the order of its items; at most 200. */
export function unknownEffectsOf(reader: Reader, runId: string): Promise<UnknownEffect[]> {
  return reader.query<UnknownEffect>(
    `select coalesce(i.position, b.position) as position, coalesce(i.type, b.type) as type,
       coalesce(i.name, b.name) as name, e.intent ->> 'action' as action, e.reason,
       e.intent ->> 'id' as "providerId",
       coalesce(e.request_id, e.idempotency_key::text) as "requestId"
     from effects e
     left join restore_items i on i.plan_id = (e.intent -> 'item' ->> 'planId')::uuid
       and i.position = (e.intent -> 'item' ->> 'position')::integer
     left join bulk_items b on b.selection_id = (e.intent -> 'item' ->> 'selectionId')::uuid
       and b.position = (e.intent -> 'item' ->> 'position')::integer
     where e.run_id = $1 and e.state = 'unknown' and e.kind = 'provider'
       and coalesce(i.position, b.position) is not null
     order by 1 limit 200`,
    [runId],
  );
}
