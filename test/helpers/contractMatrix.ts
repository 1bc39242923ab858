import { beforeAll, describe, expect, test } from "@jest/globals";
import { denials } from "../../server/domain/authority/reasons.ts";
import { type Browser, makeApp, signIn } from "./app.ts";
import type { Moment } from "./denial.ts";
import { addMember, createUser, type TestUser } from "./factories.ts";
import { listAudit, listEffects, listTransitions, watchTransitions } from "./history.ts";
import { type Installation, useInstallation } from "./installation.ts";
import { countAsked, digestOfOurs, type Lost, loseAuthority, request, tryRequest } from "./loseAuthority.ts";
import { casesOf, type Family, families, kindsOf, type MatrixCase } from "./matrixCases.ts";
import { drainQueue, listJobs } from "./queue.ts";
import { getRun, listDecisions, listNotifications } from "./records.ts";
import { type Scene, setScene } from "./scenes.ts";
import { subjects } from "./subjects.ts";

/**
 * The conformance suite for some of the operations: each of them, in every authority mode it takes, denied in
 * every way in which it can be, at every moment.
 */
export function describeMatrix(family: Family): void {
  const installation = useInstallation();
  const onlooker = useOnlooker(installation);
  const cases = casesOf(families[family]).map((one) => ({ ...one, title: one.way.title }));

  beforeAll(() => watchTransitions(installation.db));

  describe.each(kindsOf(families[family]))("$operation, $mode", (kind) => {
    test("allowed: it does what it is for, and its initiator alone hears of it", async () => {
      const { db, worker } = installation;
      const scene = await setScene(installation, kind);
      const run = await request(installation, scene);
      await drainQueue(worker);
      const { outcome, midway } = subjects[kind.operation];
      expect(await getRun(db, run)).toMatchObject({ outcome });
      if (midway.at !== null) expect(await countAsked(installation, scene)).toBeGreaterThan(0);
      expect((await listEffects(db, run)).length).toBeGreaterThan(0);
      const told = (await listNotifications(db, run)).map(({ userId }) => userId);
      expect(told).toEqual(kind.mode === "actor_bound" ? [scene.omar.id] : []);
    });
  });

  describe.each(cases.filter(isRefused))("$operation, $mode, $code, at request: $title", (one) => {
    test("it is refused without a run, and only the audit trail knows", async () => {
      const scene = await setSceneOf(installation, one);
      await expectRefusal(installation, one, scene);
    });
  });

  describe.each(cases.filter((one) => !isRefused(one)))(
    "$operation, $mode, $code, $moment: $title",
    (one) => {
      test("nothing happens any more, it is blocked once, its page says why, and who should hear of it does", async () => {
        const scene = await setSceneOf(installation, one);
        await onlooker.join(scene);
        const lost = await lose(installation, one, scene);
        await expectBlocked(installation, one, scene, lost);
        await one.way.reopen?.(installation.db, scene);
        await expectPage(await onlooker.see(lost.run), one, scene, lost);
      });
    },
  );
}

function setSceneOf(
  installation: Installation,
  { operation, mode, moment, way }: MatrixCase,
): Promise<Scene> {
  const isBare = moment === "request" || moment === "begin";
  return setScene(installation, { operation, mode, setting: way.setting, isBare });
}

/** At request, what the person may not even know of or has no right to makes no run. */
function isRefused({ moment, mode, code }: MatrixCase): boolean {
  const { denialClass } = denials[code];
  const isRight = denialClass !== "tenant_not_operable" && denialClass !== "prerequisite_invalid";
  return moment === "request" && mode === "actor_bound" && isRight;
}

async function lose(
  installation: Installation,
  { moment, mode, way }: MatrixCase,
  scene: Scene,
): Promise<Lost> {
  if (moment !== "request") return loseAuthority[moment](installation, scene, way);
  await way.bring(installation.db, scene);
  const before = {
    effectsDone: 0,
    tally: {},
    startedAt: null,
    asked: 0,
    ours: await digestOfOurs(installation, scene),
  };
  const outcome = await tryRequest(installation, scene, way);
  if (outcome.kind !== "stored") throw new Error("The denied request made no run.");
  // A schedule that cannot run asks again and again: it is counted, nothing more.
  if (mode === "system_authority") expect(await tryRequest(installation, scene, way)).toEqual(outcome);
  await drainQueue(installation.worker, undefined, 1);
  return { run: outcome.runId, before };
}

/** In which phase, and which attempt, the verdict that ended a run was given. */
const verdictAt = {
  request: { phase: "request", attempt: 0 },
  begin: { phase: "begin", attempt: 1 },
  midRun: { phase: "checkpoint", attempt: 1 },
  retry: { phase: "begin", attempt: 2 },
} as const satisfies Record<Moment, { phase: string; attempt: number }>;

async function expectBlocked(
  installation: Installation,
  { operation, mode, code, moment }: MatrixCase,
  scene: Scene,
  { run, before }: Lost,
): Promise<void> {
  const { db } = installation;
  if (moment === "midRun" || moment === "retry")
    expect(before.effectsDone).toBe(subjects[operation].midway.effects);
  expect(await getRun(db, run)).toMatchObject({
    status: "completed",
    outcome: "blocked",
    reasonCode: code,
    denialClass: denials[code].denialClass,
    failureCode: null,
    // What had been done stays told, and nothing is added.
    tally: before.tally,
    effectsDone: before.effectsDone,
    startedAt: before.startedAt,
  });
  expect(await listEffects(db, run)).toHaveLength(before.effectsDone);
  expect(await digestOfOurs(installation, scene)).toBe(before.ours);
  expect(await countAsked(installation, scene)).toBe(before.asked);
  expect((await listTransitions(db, run)).filter((became) => became === "blocked")).toHaveLength(1);
  const denied = (await listDecisions(db, run)).filter(({ verdict }) => verdict === "denied");
  expect(denied).toMatchObject([{ ...verdictAt[moment], reasonCode: code }]);
  const blocked = (await listAudit(db, run)).filter(({ action }) => action === "run.blocked");
  expect(blocked).toMatchObject([{ outcome: "denied", actorId: null, details: { reasonCode: code } }]);
  const content = { operation, outcome: "blocked", reasonCode: code, changed: before.effectsDone > 0 };
  const hears = mode === "actor_bound" && code !== "initiator_missing";
  expect(await listNotifications(db, run)).toEqual(hears ? [{ userId: scene.omar.id, content }] : []);
  expect(await listJobs(db)).toEqual([]);
}

async function expectRefusal(
  installation: Installation,
  { operation, code, way }: MatrixCase,
  scene: Scene,
): Promise<void> {
  const { db, worker } = installation;
  const { northwind, omar, contract } = scene;
  await way.bring(db, scene);
  const { denialClass } = denials[code];
  expect(await tryRequest(installation, scene, way)).toEqual({
    kind: "refused",
    reasonCode: code,
    denialClass,
    capability: contract.capability,
  });
  await drainQueue(worker, undefined, 1);
  const made = await db.query("select 1 from operation_runs where initiator_id = $1", [omar.id]);
  expect(made).toEqual([]);
  expect(await listJobs(db)).toEqual([]);
  expect(await countAsked(installation, scene)).toBe(0);
  const refusals = await db.query(
    `select actor_id as "actorId", outcome, details from audit_events
     where workspace_id = $1 and action = 'run.refused'`,
    [northwind.id],
  );
  const details = { operation, reasonCode: code, denialClass };
  expect(refusals).toMatchObject([{ actorId: omar.id, outcome: "denied", details }]);
  expect(await db.query("select 1 from notifications where user_id = $1", [omar.id])).toEqual([]);
}

async function expectPage(html: string, { code, way }: MatrixCase, scene: Scene, lost: Lost): Promise<void> {
  const { before } = lost;
  const { denialClass } = denials[code];
  expect(/<h1>(.*)<\/h1>/.exec(html)?.[1]).toBe(`Blocked by policy: ${way.says(scene)}`);
  const end = /^(initiator|scope|capability)_/.test(denialClass)
    ? "access was revoked"
    : "the run was stopped";
  if (before.effectsDone === 0) expect(html).toMatch(/<p>Nothing was changed( at Contoso Retail)?\.<\/p>/);
  else expect(html).toContain(`${subjects[scene.operation].midway.done} before ${end}.`);
  expect(html).toContain(`<code>${code}</code> · class <code>${denialClass}</code>`);
  expect(html).not.toMatch(/tone-fail|hx-get/);
}

/** An owner of every scene's workspace, signed in once: signing in is slow on purpose. */
function useOnlooker(installation: Installation) {
  const holder: { petra?: TestUser; browser?: Browser } = {};
  const found = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("The onlooker is there from beforeAll on.");
    return part;
  };
  beforeAll(async () => {
    const app = makeApp(installation.db).enable("view cache");
    holder.petra = await createUser(installation.db, { name: "Petra Novak" });
    holder.browser = await signIn(app, holder.petra.email);
  });
  return {
    join: ({ northwind }: Scene) =>
      addMember(installation.db, { workspace: northwind, user: found(holder.petra), role: "owner" }),
    async see(run: string): Promise<string> {
      const { status, text } = await found(holder.browser).get(`/admin/operations/${run}`);
      expect(status).toBe(200);
      return text.replaceAll("&#39;", "'");
    },
  };
}
