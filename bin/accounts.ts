import { Command } from "commander";
import { readConfig, rulesOf, settings } from "../server/config.ts";
import type { Db } from "../server/db/database.ts";
import { type DisableOptions, disable } from "./accounts/disable.ts";
import { exitCodes } from "./accounts/exitCodes.ts";
import { enable, status } from "./accounts/status.ts";
import { onDatabase } from "./terminal.ts";

const program = new Command("npm run accounts --")
  .description("Looks after people's accounts, for operators of the installation (DATABASE_URL).")
  .showHelpAfterError("Add --help to see how it is used.")
  .addHelpText(
    "after",
    `
Exit codes:
  ${exitCodes.done}  done
  ${exitCodes.usage}  the command or a setting is wrong, nobody has the address, or the database cannot be reached
  ${exitCodes.refused}  nothing was changed: not confirmed, or a workspace would be left without an owner
  ${exitCodes.unknown}  disabled, but of some changes on their way to Microsoft it is not known whether they were made

Settings:
  DATABASE_URL              the installation's database
  WRITE_GATE_MAX_AGE_HOURS  as web and worker have it: what would be stopped is judged by it

Examples:
  npm run accounts -- status omar@northwind.example
  npm run accounts -- disable omar@northwind.example
  npm run accounts -- enable omar@northwind.example`,
  );

program
  .command("status")
  .summary("whether an account can be used, and what it is good for")
  .description("Says whether an account is active, where it is signed in, and which roles it holds.")
  .argument("<email>", "whose account")
  .action((email: string) => run((db) => status(db, email)));

program
  .command("disable")
  .summary("stop everything under an account's rights, in every workspace")
  .description(
    "Says what it will stop, asks, then disables the account: nobody signs in with it, its sessions end, and " +
      "nothing happens under its rights any more. Waits for changes already on their way to Microsoft and says what " +
      "became of them. Roles and schedules stay as they are. Audited in each of the person's workspaces.",
  )
  .argument("<email>", "whose account")
  .option("--yes", "do not ask")
  .option(
    "--leave-without-owner",
    "also where a workspace is left without an owner: nobody can give or take roles there until the account is " +
      "enabled again",
  )
  .action((email: string, options: DisableOptions) => run((db) => disable(db, email, options)));

program
  .command("enable")
  .summary("let a disabled account be used again")
  .description(
    "Lets the person sign in again, with the roles that are still theirs. What was blocked meanwhile stays so.",
  )
  .argument("<email>", "whose account")
  .action((email: string) => run((db) => enable(db, email)));

async function run(work: (db: Db) => Promise<number>): Promise<void> {
  process.exitCode = await onDatabase(
    "The account could not be looked at",
    { read: () => readConfig(settings.shared), rules: rulesOf },
    work,
  );
}

await program.parseAsync();
