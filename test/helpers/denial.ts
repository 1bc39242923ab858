import type { Db } from "../../server/db/database.ts";
import type {
  AuthorityMode,
  OperationContract,
  Prerequisite,
} from "../../server/domain/authority/contract.ts";
import type { RunRequest } from "../../server/domain/operations/freezeRequest.ts";
import type { Scene, Setting } from "./scenes.ts";

/** When a run loses its authority: as it is requested, before it begins, between effects, between attempts. */
export const moments = ["request", "begin", "midRun", "retry"] as const;
export type Moment = (typeof moments)[number];

/** For a way that the gate tells from the first of its code by one line only, whatever the moment. */
export const variant: readonly Moment[] = ["begin"];
/** For such a way that comes about otherwise than the first: by time, by another row, by another kind of change. */
export const inTwoMoments: readonly Moment[] = ["begin", "midRun"];

/** One way in which a run comes by a reason code. */
export type Denial = {
  title: string;
  /** Whether a run of an operation with this contract, asked for in this mode, can be denied so. */
  concerns(contract: OperationContract, mode: AuthorityMode): boolean;
  /** It is about a mode that the operation does not take; others are about one that it does. */
  ofRefusedMode?: true;
  moments: readonly Moment[];
  /** Why it cannot be at the other moments. */
  because?: string;
  setting?: Setting;
  /** Makes it so, past our code, as somebody with access to the database could. */
  bring(db: Db, scene: Scene): Promise<unknown>;
  /** What is wrong with the request itself, when it is denied as it is made. */
  asking?(scene: Scene): Partial<RunRequest>;
  /** The reason as the run's page gives it, after "Blocked by policy: ". */
  says(scene: Scene): string;
  /** Undoes what keeps everybody from the page. */
  reopen?(db: Db, scene: Scene): Promise<unknown>;
};

export const everyRun = () => true;
export const needing = (prerequisite: Prerequisite) => (contract: OperationContract) =>
  contract.prerequisites.includes(prerequisite);

/** Past a trigger that keeps history as it is, which only whoever owns the tables can. */
export async function withoutTrigger(
  db: Db,
  table: string,
  trigger: string,
  [sql, values]: [sql: string, values: unknown[]],
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query(`alter table ${table} disable trigger ${trigger}`);
    await tx.query(sql, values);
    await tx.query(`alter table ${table} enable always trigger ${trigger}`);
  });
}
