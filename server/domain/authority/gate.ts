import type { Tx } from "../../db/database.ts";
import { type Decision, decide } from "./decide.ts";
import type { Facts, Phase } from "./facts.ts";
import { gatherFacts, type Subject } from "./gatherFacts.ts";

/** A run as the gate sees it once its row is locked. */
export type GatedSubject = Subject & { status: "queued" | "running" | "completed" };

/**
 * The one place that lets a run proceed. The order is the guarantee (handbook 2, "Shared side"): first the
 * authority locks, before any row lock, so that a revocation waits for us or beats us; in a later statement
 * the run rows (`lockRows`); then, in a statement younger than both, the facts; then the pure decision. All
 * locks live until the caller's transaction ends. Completed runs are not judged.
 */
export async function gate<S extends GatedSubject>(
  tx: Tx,
  runIds: readonly string[],
  options: {
    phase: Exclude<Phase, "request">;
    /** Kinds of key that the operation itself changes. */
    exclusive: readonly string[];
    /** The backup sets that the effect at hand takes away. */
    backups?: readonly string[];
    lockRows: (tx: Tx) => Promise<S[]>;
  },
): Promise<{ subject: S; decision: Decision | null }[]> {
  await tx.query("select authority_lock_runs($1::uuid[], $2::text[], $3::uuid[])", [
    runIds,
    options.exclusive,
    options.backups ?? [],
  ]);
  const subjects = await options.lockRows(tx);
  const open = subjects.filter((subject) => subject.status !== "completed");
  const facts = await gatherFacts(tx, open, options.phase);
  const beginning = new Map<string, number>();
  return subjects.map((subject) => {
    const known = facts.get(subject.id);
    return { subject, decision: known === undefined ? null : decideBeside(known, subject.status, beginning) };
  });
}

/** What is about to begin in this transaction counts as running for those judged after it. */
function decideBeside(
  facts: Facts,
  status: GatedSubject["status"],
  beginning: Map<string, number>,
): Decision {
  const { tenantId } = facts;
  if (tenantId === null || facts.phase !== "begin") return decide(facts);
  const beside = beginning.get(tenantId) ?? 0;
  const decision = decide({ ...facts, tenantRunning: facts.tenantRunning + beside });
  // One whose worker was lost counts already, in the facts of the others.
  if (decision.verdict === "allowed" && status === "queued") beginning.set(tenantId, beside + 1);
  return decision;
}

/**
 * The same questions at request time, under the same locks, for what is not stored yet: after a revocation
 * has returned no request under the lost right is accepted either.
 */
export async function gateRequest(tx: Tx, subject: Subject): Promise<Decision> {
  await tx.query(
    `select authority_share(array[authority_installation_key(), authority_key('workspace', $1),
       authority_key('user', $2), authority_key('tenant', $3), authority_key('connection', $4),
       authority_key('backup', $5), authority_key('schedule', $6)])`,
    [
      subject.workspaceId,
      subject.initiatorId,
      subject.tenantId,
      subject.connectionId,
      subject.backupSetId,
      subject.scheduleId,
    ],
  );
  const facts = (await gatherFacts(tx, [subject], "request")).get(subject.id);
  if (facts === undefined) throw new Error("The facts about a request were not found.");
  return decide(facts);
}

/** What an effect must carry: the keys it holds and the epochs they had when the gate allowed it. */
export type Pass = { keys: string[]; epochs: string[] };

/**
 * Lets this transaction commit one run's effects under one fencing token; the backstop asks for it at commit.
 * Call it only after `gate` allowed the run in the same transaction.
 */
export async function grantPass(
  tx: Tx,
  run: { id: string; fencingToken: string; connectionId: string | null },
  exclusive: readonly string[],
  backups: readonly string[] = [],
): Promise<Pass> {
  const exclusiveConnection = exclusive.includes("connection") ? run.connectionId : null;
  const exclusiveBackups = exclusive.includes("backup") ? backups : [];
  const [pass] = await tx.query<Pass>(
    `with granted as materialized (
       select set_config('countersign.pass', jsonb_build_object(
         'xid', pg_current_xact_id()::text, 'run', $1::uuid, 'token', $2::bigint::text,
         'exclusive', (
           select coalesce(jsonb_agg(k.key::text), '[]') from (
             select authority_key('connection', $3::uuid) as key
             union all select authority_key('backup', b.id) from unnest($4::uuid[]) as b (id)) as k
           where k.key is not null))::text, true))
     select array_agg(k.key order by k.key) as keys,
       array_agg(coalesce(e.epoch, 0) order by k.key) as epochs
     from granted, operation_runs r
     cross join lateral unnest(authority_keys_of(r)) as k (key)
     left join authority_epochs e on e.key = k.key
     where r.id = $1::uuid`,
    [run.id, run.fencingToken, exclusiveConnection, exclusiveBackups],
  );
  if (pass === undefined) throw new Error("A pass was asked for a run that does not exist.");
  return pass;
}
