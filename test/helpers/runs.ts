import { v7 as uuidv7 } from "uuid";
import type { Db } from "../../server/db/database.ts";
import { type CheckName, type Checks, checkNames } from "../../server/domain/authority/decide.ts";
import { denials, type ReasonCode } from "../../server/domain/authority/reasons.ts";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import type { RunTrigger } from "../../server/domain/operations/freezeRequest.ts";
import type { TestTenant, TestUser } from "./factories.ts";

type Ending =
  | { outcome: "succeeded" | "partially_succeeded" | "cancelled" }
  | { outcome: "blocked"; reasonCode: ReasonCode }
  | { outcome: "failed"; message?: string };

export type GivenRun = {
  workspace: { id: string };
  tenant?: TestTenant | null;
  /** None makes it the system's. */
  initiator?: TestUser | null;
  operation?: OperationName;
  status?: "queued" | "running";
  ending?: Ending;
  /** Items it recorded, one effect's worth. */
  done?: number;
  tally?: Record<string, number>;
  /** When it was asked for; what ended did so a second later. */
  requestedAt?: Date;
  heartbeatAt?: Date;
  trigger?: RunTrigger;
  /** As if it had been made when it was requested: ids are time-ordered. */
  id?: string;
};

/** A run as it would stand in the table, with the verdict that ended it if it was blocked. */
export async function createRun(db: Db, given: GivenRun): Promise<{ id: string }> {
  const { id = uuidv7() } = given;
  const { ending, tenant = null, initiator = null, requestedAt = new Date() } = given;
  const begun = given.status === "running" || (ending !== undefined && ending.outcome !== "blocked");
  const reasonCode = ending?.outcome === "blocked" ? ending.reasonCode : null;
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into operation_runs (id, workspace_id, tenant_id, tenant_name, operation, authority_mode,
         initiator_id, initiator_name, trigger, target, target_digest, request_checks, status, outcome,
         reason_code, denial_class, attempt, max_attempts, fencing_token, progress_done, tally, effects_done,
         failure_code, failure_message, expires_at, requested_at, started_at, completed_at, heartbeat_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $24, '{"types":["deviceConfigurations"]}', 'digest', $9, $10,
         $11, $12, $13, $14::integer, 5, $14::bigint, $15, $16, $17, $18, $19, $20::timestamptz + interval '1 day', $20, $21, $22,
         $23)`,
      [
        id,
        given.workspace.id,
        tenant?.id ?? null,
        tenant?.name ?? null,
        given.operation ?? "inventory.sync",
        initiator === null ? "system_authority" : "actor_bound",
        initiator?.id ?? null,
        initiator?.name ?? null,
        JSON.stringify(checksWith(null)),
        ending === undefined ? (given.status ?? "queued") : "completed",
        ending?.outcome ?? "pending",
        reasonCode,
        reasonCode === null ? null : denials[reasonCode].denialClass,
        begun ? 1 : 0,
        given.done ?? 0,
        JSON.stringify(given.tally ?? {}),
        given.done === undefined ? 0 : 1,
        ending?.outcome === "failed" ? "provider_unavailable" : null,
        ending?.outcome === "failed" ? (ending.message ?? "Microsoft did not answer.") : null,
        requestedAt,
        begun ? requestedAt : null,
        ending === undefined ? null : new Date(requestedAt.getTime() + 1000),
        given.heartbeatAt ?? (begun ? requestedAt : null),
        given.trigger ?? "page",
      ],
    );
    if (reasonCode === null) return;
    await tx.query(
      `insert into execution_decisions
         (id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable, checks, decided_at)
       values ($1, $2, 1, 'begin', 'denied', $3, $4, false, $5, $6::timestamptz + interval '1 second')`,
      [
        uuidv7(),
        id,
        denials[reasonCode].denialClass,
        reasonCode,
        JSON.stringify(checksWith(reasonCode)),
        requestedAt,
      ],
    );
  });
  return { id };
}

const checkOf = {
  workspace_mismatch: "workspace_scope",
  initiator_missing: "initiator",
  initiator_not_entitled: "initiator",
  tenant_missing: "tenant_scope",
  tenant_not_entitled: "tenant_scope",
  missing_capability: "capability",
  system_authority_not_allowed: "capability",
  tenant_not_operable: "tenant_operability",
  provider_connection_invalid: "provider_connection",
  write_gate_blocked: "write_gate",
  execution_prerequisite_invalid: "execution_prerequisites",
} as const satisfies Record<ReasonCode, CheckName>;

function checksWith(reason: ReasonCode | null): Partial<Checks> {
  const failing = reason === null ? null : checkOf[reason];
  return Object.fromEntries(
    checkNames.map((name) => [
      name,
      name === failing
        ? { result: "failed", reason, value: `denied for ${reason}` }
        : { result: "passed", value: "as it should be" },
    ]),
  );
}

/** Tells the initiator how the run ended, as ending it does. */
export async function createNotification(
  db: Db,
  given: { user: { id: string }; run: { id: string }; outcome?: string; reasonCode?: ReasonCode },
): Promise<{ id: string }> {
  const id = uuidv7();
  const content = {
    operation: "inventory.sync",
    outcome: given.outcome ?? "succeeded",
    reasonCode: given.reasonCode ?? null,
    changed: false,
  };
  await db.transaction((tx) =>
    tx.query(
      "insert into notifications (id, user_id, run_id, kind, content) values ($1, $2, $3, 'run.outcome', $4)",
      [id, given.user.id, given.run.id, JSON.stringify(content)],
    ),
  );
  return { id };
}
