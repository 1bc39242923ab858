import type { Tx } from "../../db/database.ts";
import type { Decision } from "../authority/decide.ts";
import { type GatedSubject, gate } from "../authority/gate.ts";
import { contractOf, isOperationName, type OperationName } from "./catalog.ts";
import { type Run, runColumns, subjectOf } from "./run.ts";

export type GatedRun = { run: Run; decision: Decision | null };

/**
 * Gates stored runs in the caller's transaction: authority locks, then the run rows, then facts and verdicts
 * (see `gate`). `exclusiveFor` names the operation whose own effects change authority, when one is about to.
 * A run that has ended comes back with no decision, and so does one whose operation this release does not have;
 * one that does not exist does not come back.
 */
export async function gateRuns(
  tx: Tx,
  runIds: readonly string[],
  phase: "begin" | "checkpoint",
  exclusiveFor?: OperationName,
): Promise<GatedRun[]> {
  const unknown: Run[] = [];
  const answers = await gate<GatedSubject & { run: Run }>(tx, runIds, {
    phase,
    exclusive: exclusiveFor === undefined ? [] : contractOf(exclusiveFor).changesAuthority,
    lockRows: async (locked) => {
      if (phase === "begin") await lockWriteTurns(locked, runIds);
      const runs = await lockRuns(locked, runIds);
      unknown.push(...runs.filter(({ operation }) => !isOperationName(operation)));
      return runs
        .filter(({ operation }) => isOperationName(operation))
        .map((run) => ({ ...subjectOf(run), status: run.status, run }));
    },
  });
  return [
    ...answers.map(({ subject, decision }) => ({ run: subject.run, decision })),
    ...unknown.map((run) => ({ run, decision: null })),
  ];
}

/** Of two runs that would write at one tenant, the second to be judged sees what became of the first. */
async function lockWriteTurns(tx: Tx, runIds: readonly string[]): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock(key) from (
       select distinct write_turn_key(tenant_id) as key from operation_runs
       where id = any ($1::uuid[]) and writes_provider and tenant_id is not null order by key) as turns`,
    [runIds],
  );
}

function lockRuns(tx: Tx, runIds: readonly string[]): Promise<Run[]> {
  return tx.query<Run>(
    `select ${runColumns} from operation_runs where id = any ($1::uuid[]) order by id for no key update`,
    [runIds],
  );
}
