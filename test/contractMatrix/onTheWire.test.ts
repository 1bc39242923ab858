import { expect, test } from "@jest/globals";
import { writesAt } from "../helpers/bulk.ts";
import { wayTo } from "../helpers/denials.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { request } from "../helpers/loseAuthority.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
import { setScene } from "../helpers/scenes.ts";
import { subjects } from "../helpers/subjects.ts";

const installation = useInstallation();
const dismissed = wayTo("initiator_not_entitled");

test.each([
  ["restore.execute", "PATCH", /^PATCH .*\/first$/],
  ["policies.bulk_assign", "POST", /^POST .*\/first\/assign$/],
  ["policies.bulk_delete", "DELETE", /^DELETE .*\/first$/],
] as const)(
  "%s: a call on the wire when access goes past our code is settled, and is the last",
  async (operation, method, written) => {
    const { db, worker, control, sandbox } = installation;
    const scene = await setScene(installation, { operation, mode: "actor_bound" });
    const { directoryId } = scene.contoso;
    await control.setFaults(directoryId, [{ kind: "hold", method, path: "/first", times: 1 }]);
    const held = sandbox.requests.next((sent) => sent.method === method && sent.path.includes("/first"));
    const run = await request(installation, scene);
    const draining = follow(drainQueue(worker));
    await held;
    await dismissed.bring(db, scene);
    await control.clearFaults(directoryId);
    await draining.result;
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "initiator_not_entitled",
      effectsDone: subjects[operation].midway.effects,
    });
    const effects = await db.query("select state from effects where run_id = $1 and kind = 'provider'", [
      run,
    ]);
    expect(effects).toEqual([{ state: "done" }]);
    const writes = (await writesAt(installation, scene)).filter((sent) => !sent.endsWith("$batch"));
    expect(writes).toEqual([expect.stringMatching(written)]);
  },
);
