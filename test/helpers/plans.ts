import { z } from "zod";
import type { Db, Reader } from "../../server/db/database.ts";

/** A step of the plan by which a statement was carried out, with what it came to. */
export type PlanNode = {
  "Node Type": string;
  "Relation Name"?: string | undefined;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number | undefined;
  Plans?: PlanNode[] | undefined;
};

const nodeShape: z.ZodType<PlanNode> = z.lazy(() =>
  z.object({
    "Node Type": z.string(),
    "Relation Name": z.string().optional(),
    "Actual Rows": z.number(),
    "Actual Loops": z.number(),
    "Rows Removed by Filter": z.number().optional(),
    Plans: z.array(nodeShape).optional(),
  }),
);
const planShape = z.tuple([z.object({ Plan: nodeShape })]);

/** Every step of every statement that `ask` reads by. */
export async function plansOf(db: Db, ask: (reader: Reader) => Promise<unknown>): Promise<PlanNode[]> {
  const nodes: PlanNode[] = [];
  await ask({
    rules: db.rules,
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      const [row] = await db.query<{ "QUERY PLAN": unknown }>(
        `explain (analyze, format json) ${text}`,
        values,
      );
      const [{ Plan }] = planShape.parse(row?.["QUERY PLAN"]);
      nodes.push(...withInner(Plan));
      return db.query<Row>(text, values);
    },
  });
  return nodes;
}

function withInner(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(withInner)];
}
