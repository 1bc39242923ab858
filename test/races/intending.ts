import { intendWrite } from "../../server/domain/operations/intendWrite.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import type { Installation } from "../helpers/installation.ts";
import type { Northwind } from "../helpers/northwind.ts";
import { creationOf } from "../helpers/restores.ts";

/** Halves of a writing call, for tests that stop in between. */

/** Intends the creation of a policy of that name, as a worker does right before it sends it. */
export async function intendCreation({ db, worker }: Installation, run: Run, name: string) {
  const { write, matchKey, before, after, item, name: key } = creationOf(worker, name);
  const intent = { action: write.action, type: write.type, id: write.id, matchKey, before, after, item };
  const intended = await intendWrite(db, run, { name: key, intent, credentialVersion: 1 });
  if (intended.kind !== "intended") throw new Error(`It was not intended: ${intended.kind}`);
  return { ...intended, write };
}

/** Until when calls may be on the wire; a lost one is looked for no earlier. */
export async function letAuthorityEndIn(
  { db }: Installation,
  { connection }: Northwind,
  seconds: number,
): Promise<void> {
  await db.query(
    `update provider_connections
     set verified_at = clock_timestamp() - interval '24 hours' + make_interval(secs => $2) where id = $1`,
    [connection.id, seconds],
  );
}

export async function renewAuthority({ db }: Installation, { connection }: Northwind): Promise<void> {
  await db.query("update provider_connections set verified_at = clock_timestamp() where id = $1", [
    connection.id,
  ]);
}

/** Milliseconds until the last deadline of the run's calls under way; negative once it has passed. */
export async function deadlineIn({ db }: Installation, run: Run): Promise<number> {
  const [row] = await db.query<{ ms: number }>(
    `select coalesce(max(extract(epoch from deadline - clock_timestamp()) * 1000), -1)::float8 as ms
     from effects where run_id = $1 and state = 'in_flight'`,
    [run.id],
  );
  return row?.ms ?? -1;
}

export async function countUnsettled({ db }: Installation, run: Run): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    "select effects_unsettled as n from operation_runs where id = $1",
    [run.id],
  );
  return row?.n ?? -1;
}
