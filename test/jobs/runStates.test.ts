import { beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { useInstallation } from "../helpers/installation.ts";
import { requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";

/** What the database itself refuses about a run, whatever the code tries. */

const installation = useInstallation();
let queued: string;
let completed: string;

beforeAll(async () => {
  const { db, worker } = installation;
  const world = await seedNorthwind(installation, { policies: 0 });
  completed = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
  queued = await requestAs(db, world.omar, "inventory.sync", world.contoso);
});

const begun = { started_at: "2026-11-20T14:00:00Z", attempt: 1, fencing_token: 1 };
const ended = { ...begun, status: "completed", completed_at: "2026-11-20T14:01:00Z" };
const blocked = {
  ...ended,
  outcome: "blocked",
  reason_code: "tenant_missing",
  denial_class: "scope_denied",
};

const possible: Record<string, object> = {
  running: { ...begun, status: "running" },
  succeeded: { ...ended, outcome: "succeeded" },
  blocked,
  "blocked before it started": { ...blocked, started_at: null, attempt: 0, fencing_token: 0 },
  failed: { ...ended, outcome: "failed", failure_code: "internal_error" },
  "queued, waiting for a hold": { waiting_reason: "hold" },
};

const impossible: Record<string, [constraint: string, state: object]> = {
  "running that never started": ["runs_running_has_begun", { ...begun, status: "running", started_at: null }],
  "running without an attempt": ["runs_running_has_begun", { ...begun, status: "running", attempt: 0 }],
  "running without a fencing token": [
    "runs_running_has_begun",
    { ...begun, status: "running", fencing_token: 0 },
  ],
  "succeeded without having started": [
    "runs_success_has_begun",
    { ...ended, outcome: "succeeded", started_at: null },
  ],
  "an outcome while it is open": ["runs_outcome_iff_completed", { outcome: "succeeded", ...begun }],
  "completed without an outcome": ["runs_outcome_iff_completed", { ...ended, outcome: "pending" }],
  "completed at no time": [
    "runs_completed_at_iff_completed",
    { ...ended, outcome: "succeeded", completed_at: null },
  ],
  "blocked without a reason": ["runs_reason_iff_blocked", { ...blocked, reason_code: null }],
  "blocked without a class": ["runs_reason_iff_blocked", { ...blocked, denial_class: null }],
  "a reason without being blocked": [
    "runs_reason_iff_blocked",
    { ...ended, outcome: "succeeded", reason_code: "tenant_missing", denial_class: "scope_denied" },
  ],
  "failed for no reason": ["runs_failure_iff_failed", { ...ended, outcome: "failed" }],
  "a failure that is no failure": ["runs_failure_iff_failed", { ...blocked, failure_code: "internal_error" }],
  "held while it runs": ["runs_waiting_is_queued", { ...begun, status: "running", waiting_reason: "hold" }],
  "a person's run without the person": ["runs_mode_names_initiator", { initiator_id: null }],
  "a system run with a person": ["runs_mode_names_initiator", { authority_mode: "system_authority" }],
};

describe("a run's state", () => {
  test.each(Object.entries(possible))("can be: %s", async (_name, state) => {
    await expect(insertAs(state)).resolves.toHaveLength(1);
  });

  test.each(Object.entries(impossible))("cannot be: %s", async (_name, [constraint, state]) => {
    await expect(insertAs(state)).rejects.toMatchObject({ code: "23514", constraint });
  });
});

describe("what is past", () => {
  test.each([
    ["a completed run cannot run again", "status = 'running', outcome = 'pending', completed_at = null"],
    ["a completed run cannot end otherwise", "outcome = 'cancelled'"],
    ["a completed run cannot get another tally", `tally = '{"created": 1000000}'`],
    ["a run that started cannot have started at another time", "started_at = now()"],
    ["a fencing token cannot go back", "fencing_token = fencing_token - 1"],
  ])("%s", async (_name, change) => {
    await expect(
      installation.db.query(`update operation_runs set ${change} where id = $1`, [completed]),
    ).rejects.toMatchObject({ code: "42501" });
  });

  test.each([
    ["its tenant", "tenant_id = gen_random_uuid()"],
    ["its workspace", "workspace_id = gen_random_uuid()"],
    ["its initiator", "initiator_id = gen_random_uuid()"],
    ["whose authority it needs", "authority_mode = 'system_authority', initiator_id = null"],
    ["its operation", "operation = 'provider.connection.verify'"],
    ["its connection", "connection_id = gen_random_uuid()"],
    ["its target", `target = '{"types": ["deviceConfigurations"]}'`],
    ["the digest of its target", "target_digest = 'another'"],
  ])("what was asked for cannot be changed: %s", async (_name, change) => {
    await expect(
      installation.db.query(`update operation_runs set ${change} where id = $1`, [queued]),
    ).rejects.toMatchObject({ code: "42501" });
  });

  test("a run has a decision for as long as it is there", async () => {
    await expect(
      installation.db.query("delete from operation_runs where id = $1", [completed]),
    ).rejects.toMatchObject({ code: "23503" });
  });
});

/** A run like the queued one, but in this state: an insert, so that only the CHECKs can refuse it. */
function insertAs(state: object) {
  return installation.db.query<{ id: string }>(
    `insert into operation_runs select (jsonb_populate_record(r, $2::jsonb)).* from operation_runs r
     where r.id = $1 returning id`,
    [queued, JSON.stringify({ id: uuidv7(), ...state })],
  );
}
