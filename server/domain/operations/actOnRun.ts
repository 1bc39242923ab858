import type { Tx } from "../../db/database.ts";
import type { Actor } from "../audit/recordAudit.ts";
import { entitledAt, type Place } from "../authority/places.ts";
import { loadViewer, type Viewer } from "../authority/viewer.ts";
import { NotFound } from "../errors.ts";
import { type Run, runColumns } from "./run.ts";
import { shareTurns } from "./tenantLine.ts";

/** A run somebody is about to change, with its row locked, and they as they stand until commit. */
export type ActedOn = { run: Run; place: Place; viewer: Viewer };

/**
 * Takes what an actor's right rests on and its tenant's line, shared, and only then the run's row, in the order of
 * every gate: whoever takes the right away, or lets the run begin, waits for us or beats us. Throws `NotFound` for a
 * stranger to where the run stands.
 */
export async function actOnRun(tx: Tx, actor: Actor, runId: string): Promise<ActedOn> {
  await tx.query(
    `select authority_share(array[authority_installation_key(), authority_key('user', $2),
       authority_key('workspace', r.workspace_id)])
     from operation_runs r where r.id = $1`,
    [runId, actor.id],
  );
  await shareTurns(tx, [runId]);
  const [run] = await tx.query<Run>(
    `select ${runColumns} from operation_runs where id = $1 for no key update`,
    [runId],
  );
  if (run === undefined) throw new NotFound();
  const place = {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    own: run.initiatorId === actor.id,
  };
  const person = await loadViewer(tx, actor.id, run.workspaceId);
  const viewer = person === undefined ? undefined : entitledAt(person, place);
  if (viewer === undefined) throw new NotFound();
  return { run, place, viewer };
}
