import { requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { withDatabase } from "./installation.ts";
import { withWorker } from "./workerProcess.ts";

/**
 * Whether the worker reads a directory page by page: its resident memory at the peak of a sync of 500
 * policies, and of 5,000, in a process of its own with the sandbox in another.
 */
export async function benchSync(): Promise<void> {
  await withDatabase((db, url) =>
    withWorker(db, url, async ({ control, peakUntilDone }) => {
      const world = await seedNorthwind({ db, control }, { policies: 500 });
      const peak = async () =>
        peakUntilDone([await requestAs(db, world.omar, "inventory.sync", world.contoso)]);
      // The first ones load code and warm caches; what a process needs anyway is not growth.
      for (let n = 0; n < 3; n += 1) await peak();
      const small = await peak();
      await control.setPolicies(world.contoso.directoryId, 5_000);
      const large = await peak();
      console.log(`sync of   500 policies: peak ${small.toFixed(1)} MB resident`);
      console.log(`sync of 5,000 policies: peak ${large.toFixed(1)} MB resident`);
      console.log(`growth: ${(large - small).toFixed(1)} MB (at most 32 MB is promised)`);
      if (large - small >= 32) process.exitCode = 1;
    }),
  );
}
