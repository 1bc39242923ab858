import type { Tx } from "../../db/database.ts";
import type { Decision } from "../authority/decide.ts";
import { type GatedSubject, gate } from "../authority/gate.ts";
import { contractOf, isOperationName, type OperationName } from "./catalog.ts";
import { type Run, runColumns, subjectOf } from "./run.ts";
import { takeTurns } from "./tenantLine.ts";

export type GatedRun = { run: Run; decision: Decision | null };

/**
 * Gates stored runs in the caller's transaction: authority locks, then the run rows, then facts and verdicts
 * (see `gate`). `changing` names the operation whose own effects change authority, when one is about to, and the
 * backup sets that it takes away.
 * A run that has ended comes back with no decision, and so does one whose operation this release does not have;
 * one that does not exist does not come back.
 */
export async function gateRuns(
  tx: Tx,
  runIds: readonly string[],
  phase: "begin" | "checkpoint",
  changing?: { operation: OperationName; backups: readonly string[] },
): Promise<GatedRun[]> {
  const unknown: Run[] = [];
  const answers = await gate<GatedSubject & { run: Run }>(tx, runIds, {
    phase,
    exclusive: changing === undefined ? [] : contractOf(changing.operation).changesAuthority,
    backups: changing?.backups ?? [],
    lockRows: async (locked) => {
      if (phase === "begin") await takeTurns(locked, runIds);
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

function lockRuns(tx: Tx, runIds: readonly string[]): Promise<Run[]> {
  return tx.query<Run>(
    `select ${runColumns} from operation_runs where id = any ($1::uuid[]) order by id for no key update`,
    [runIds],
  );
}
