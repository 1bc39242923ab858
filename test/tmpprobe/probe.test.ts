import { test } from "@jest/globals";
import { requestAs, seedNorthwind, useInstallation } from "../helpers/installation.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
const installation = useInstallation();
test("timing", async () => {
  for (const policies of [3, 3, 12]) {
    const t: number[] = [performance.now()];
    const world = await seedNorthwind(installation, { policies });
    t.push(performance.now());
    await drainQueue(installation.worker);
    t.push(performance.now());
    const run = await requestAs(installation.db, world.omar, "inventory.sync", world.contoso);
    t.push(performance.now());
    await drainQueue(installation.worker);
    t.push(performance.now());
    console.error(policies, t.slice(1).map((x, i) => Math.round(x - (t[i] ?? 0))), JSON.stringify(await getRun(installation.db, run)));
  }
});
