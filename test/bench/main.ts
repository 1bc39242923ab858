import { Command } from "commander";
import { benchGate } from "./gate.ts";
import { benchRestore } from "./restore.ts";
import { benchSync } from "./sync.ts";

const program = new Command("npm run bench --").description(
  "Measures what the documentation claims. Figures of one run are compared with each other, as ratios: the absolute ones depend on the machine.",
);

program
  .command("gate")
  .description("jobs per second: bare Graphile Worker, a gate transaction per job, and ours")
  .option("--jobs <count>", "jobs per variant", (text) => Number.parseInt(text, 10), 5_000)
  .action(async ({ jobs }: { jobs: number }) => benchGate(jobs));

program
  .command("sync")
  .description("how much the worker's memory grows between a sync of 500 policies and one of 5,000")
  .action(async () => benchSync());

program
  .command("restore")
  .description(
    "how much the worker's memory grows between a restore of 100 items and one of 2,000, calls per item, items per second",
  )
  .action(async () => benchRestore());

await program.parseAsync();
