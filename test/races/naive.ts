import type pg from "pg";
import { decide } from "../../server/domain/authority/decide.ts";
import { gatherFacts } from "../../server/domain/authority/gatherFacts.ts";
import { type Run, subjectOf } from "../../server/domain/operations/run.ts";

/** Where the control's effects go: a table that nothing protects. */
export const createUnprotected =
  "create table if not exists unprotected_effects (run_id uuid, at timestamptz)";

/**
 * The vulnerable control: what everybody writes first. It asks the same questions with the same facts and the
 * same pure decision, in a transaction, and then acts; it only lacks the locks and the backstop. Where the
 * real thing holds, this must be seen to fail, or the test proves nothing.
 */
export async function checkThenAct(
  session: pg.Client,
  run: Run,
  between: () => Promise<void>,
): Promise<"acted" | "denied"> {
  await session.query("begin");
  const reader = {
    rules: { writeGateMaxAgeHours: 24, tenantConcurrency: 4 },
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await session.query<Row>(text, [...values])).rows,
  };
  const facts = (await gatherFacts(reader, [subjectOf(run)], "checkpoint")).get(run.id);
  if (facts === undefined || decide(facts).verdict !== "allowed") {
    await session.query("rollback");
    return "denied";
  }
  await between();
  await session.query("insert into unprotected_effects values ($1, clock_timestamp())", [run.id]);
  await session.query("commit");
  return "acted";
}
