import { beforeAll, describe, expect, test } from "@jest/globals";
import { denials } from "../../server/domain/authority/reasons.ts";
import { makeApp, signIn } from "./app.ts";
import type { Moment } from "./denial.ts";
import { addMember, createUser } from "./factories.ts";
import { listAudit, listEffects, listTransitions, watchTransitions } from "./history.ts";
import { useInstallation } from "./installation.ts";
import { countAsked, digestOfOurs, loseAuthority, request, tryRequest } from "./loseAuthority.ts";
import { casesOf, type Family, families, kindsOf, type MatrixCase } from "./matrixCases.ts";
import { drainQueue, listJobs } from "./queue.ts";
import { getRun, listDecisions, listNotifications } from "./records.ts";
import { type Scene, setScene } from "./scenes.ts";
import { midways } from "./stagings.ts";

/**
 * The conformance suite for some of the operations: each of them, in every authority mode it takes, denied in
 * every way in which it can be, at every moment.
 */
export function describeMatrix(family: Family): void {
  const installation = useInstallation();
  const page = useRunPage(installation);
  const operations = families[family];

  beforeAll(() => watchTransitions(installation.db));

  describe.each(kindsOf(operations))("$operation, $mode", (kind) => {
    test("allowed: it asks the provider, has effects, and its initiator alone hears of it", async () => {
      const { db, worker } = installation;
      const scene = await setScene(installation, kind);
      const run = await request(installation, scene);
      await drainQueue(worker);
      expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
      expect(await countAsked(installation, scene)).toBeGreaterThan(0);
      expect((await listEffects(db, run)).length).toBeGreaterThan(0);
      const told = (await listNotifications(db, run)).map(({ userId }) => userId);
      expect(told).toEqual(kind.mode === "actor_bound" ? [scene.omar.id] : []);
    });
  });
