import { beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../../../server/db/database.ts";
import { countAttention } from "../../../server/domain/operations/attention.ts";
import { listInitiators } from "../../../server/domain/operations/listInitiators.ts";
import { listRuns, noFilters, type RunFilters } from "../../../server/domain/operations/listRuns.ts";
import { countStanding, listStanding } from "../../../server/domain/operations/needsAttention.ts";
import type { RunScope } from "../../../server/domain/operations/runScope.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createTenant, createUser, createWorkspace, type TestUser } from "../../helpers/factories.ts";
import { plansOf } from "../../helpers/plans.ts";

/** With a year of runs in the table, no filter reads much more than the page it shows. */

const database = useDatabase();
let scope: RunScope;
let rare: { user: TestUser; tenantId: string; runId: string };

const runs = 120_000;
const year = 365 * 86_400_000;

beforeAll(async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const tenants = await Promise.all(Array.from({ length: 40 }, () => createTenant(db, { workspace })));
  const [often, seldom] = [await createUser(db), await createUser(db)];
  scope = { workspaceId: workspace.id, tenantIds: null, ownerId: null };
  const now = Date.now();
  const made = Array.from({ length: runs }, (_, n) => {
    const at = new Date(now - year + (n * year) / runs);
    const isRare = n % 40_000 === 7;
    return {
      id: uuidv7({ msecs: at.getTime() }),
      tenant: tenants[isRare ? 0 : 1 + (n % 39)]?.id,
      user: isRare ? seldom.id : often.id,
      at,
      kind: isRare ? "rare" : n % 10 === 0 ? "blocked" : n > runs - 40 ? "queued" : "succeeded",
    };
  });
  rare = { user: seldom, tenantId: tenants[0]?.id ?? "", runId: made[7]?.id ?? "" };
  for (let start = 0; start < runs; start += 10_000)
    await db.query(insertRuns, [workspace.id, JSON.stringify(made.slice(start, start + 10_000))]);
  await db.query("analyze operation_runs");
}, 120_000);

const insertRuns = `insert into operation_runs (id, workspace_id, tenant_id, operation, authority_mode, initiator_id,
    initiator_name, trigger, target, target_digest, request_checks, status, outcome, reason_code, denial_class,
    max_attempts, expires_at, requested_at, started_at, completed_at)
  select id, $1, tenant, case kind when 'rare' then 'backup.create' else 'inventory.sync' end, 'actor_bound', "user",
    'Somebody', case kind when 'rare' then 'command' else 'page' end, '{}', 'digest', '{}',
    case kind when 'queued' then 'queued' else 'completed' end,
    case kind when 'rare' then 'blocked' when 'queued' then 'pending' else kind end,
    case kind when 'rare' then 'write_gate_blocked' when 'blocked' then 'missing_capability' end,
    case kind when 'rare' then 'prerequisite_invalid' when 'blocked' then 'capability_denied' end,
    5, at + interval '1 day', at, case when kind in ('succeeded') then at end,
    case kind when 'queued' then null else at + interval '1 minute' end
  from jsonb_to_recordset($2::jsonb) as r (id uuid, tenant uuid, "user" uuid, at timestamptz, kind text)`;

describe("a page of runs reads little", () => {
  const oneDay = {
    from: new Date(Date.now() - year / 2),
    before: new Date(Date.now() - year / 2 + 86_400_000),
  };
  const filters: Record<string, () => Partial<RunFilters>> = {
    "without a filter": () => ({}),
    "by status": () => ({ status: "queued" }),
    "by outcome": () => ({ outcome: "failed" }),
    "by reason": () => ({ reasonCode: "write_gate_blocked" }),
    "by operation": () => ({ operation: "backup.create" }),
    "by tenant": () => ({ tenantId: rare.tenantId }),
    "by initiator": () => ({ initiator: { id: rare.user.id } }),
    "of the system": () => ({ initiator: "system" }),
    "by trigger": () => ({ trigger: "command" }),
    "by a day half a year ago": () => oneDay,
    "by the beginning of an id": () => ({ match: { kind: "ids", first: rare.runId, last: rare.runId } }),
    "by names": () => ({
      match: { kind: "names", tenantIds: [rare.tenantId], initiatorIds: [rare.user.id], operations: [] },
    }),
    "by a name that fits nothing": () => ({
      match: { kind: "names", tenantIds: [], initiatorIds: [], operations: [] },
    }),
    "by names that fit most": () => ({
      match: { kind: "names", tenantIds: [], initiatorIds: [], operations: ["inventory.sync"] },
    }),
    "by reason and trigger": () => ({ reasonCode: "write_gate_blocked", trigger: "command" }),
  };

  test.each(Object.entries(filters))("%s", async (_name, filter) => {
    const reads = await readsOf((reader) => listRuns(reader, scope, { ...noFilters, ...filter() }, null));
    expect(Math.max(...reads)).toBeLessThan(2_500);
  });

  test("deep in the list, too", async () => {
    const [middle] = await database.db.query<{ id: string }>(
      "select id from operation_runs order by id offset 60000 limit 1",
    );
    const cursor = { before: middle?.id ?? "" };
    const reads = await readsOf((reader) =>
      listRuns(reader, scope, { ...noFilters, outcome: "blocked" }, cursor),
    );
    expect(Math.max(...reads)).toBeLessThan(2_500);
  });
});

test("what needs attention is counted and listed by its kinds, not by its runs", async () => {
  const counting = await readsOf((reader) => countStanding(reader, scope));
  const listing = await readsOf((reader) =>
    listStanding(reader, scope, { operation: null, tenantId: null, reasonCode: null }),
  );
  expect(await countStanding(database.db, scope)).toBeGreaterThan(0);
  expect(Math.max(...counting, ...listing)).toBeLessThan(2_500);
});

test("the rest of the list's page is bounded, however many runs there are", async () => {
  const attention = await readsOf((reader) => countAttention(reader, scope));
  const initiators = await readsOf((reader) => listInitiators(reader, scope));
  expect(Math.max(...attention)).toBeLessThan(12_000);
  expect(Math.max(...initiators)).toBeLessThan(2_500);
});

/** How many rows each scan of each statement read, those it threw away included. */
async function readsOf(ask: (reader: Reader) => Promise<unknown>): Promise<number[]> {
  const scans = (await plansOf(database.db, ask)).filter((node) => node["Node Type"].includes("Scan"));
  return scans.map(
    (scan) => scan["Actual Loops"] * (scan["Actual Rows"] + (scan["Rows Removed by Filter"] ?? 0)),
  );
}
