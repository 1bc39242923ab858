import { Command } from "commander";
import { readConfig, rulesOf, settings } from "../server/config.ts";
import { contractOf, plainOperations } from "../server/domain/operations/catalog.ts";
import { exitCodes } from "./operation/exitCodes.ts";
import { type RequestOptions, request } from "./operation/request.ts";
import { onDatabase, terminal } from "./terminal.ts";

const widest = Math.max(...plainOperations.map((name) => name.length));
const operations = plainOperations.map((name) => `  ${name.padEnd(widest)}  ${contractOf(name).title}`);

const program = new Command("npm run operation --")
  .description(
    "Starts work on tenants from the command line, for operators of the installation (DATABASE_URL).",
  )
  .showHelpAfterError("Add --help to see how it is used.");

program
  .command("request")
  .summary("request a run of an operation")
  .description(
    "Requests a run: the same rules apply as on the pages, at request and when it begins, and it is audited.\n" +
      "Prints the run's address.",
  )
  .argument("<operation>", "what to do, one of those listed below")
  .requiredOption("--tenant <name or id>", "at which tenant")
  .option("--workspace <slug>", "whose tenant, where several have one of that name")
  .option("--as <email>", "under this person's authority; without it, under the system's")
  .option("--wait", "wait for its end and print its outcome")
  .addHelpText(
    "after",
    `
Operations:
${operations.join("\n")}

Exit codes:
  ${exitCodes.done}  requested; with --wait: succeeded, wholly or in part
  ${exitCodes.usage}  the command or a setting is wrong, or the database cannot be reached
  ${exitCodes.blocked}  blocked by policy, or refused
  ${exitCodes.failed}  failed or cancelled (with --wait)

Settings:
  DATABASE_URL  the installation's database
  BASE_URL      where people reach the site; the address that is printed starts with it

Examples:
  npm run operation -- request inventory.sync --tenant "Contoso Retail"
  npm run operation -- request inventory.sync --tenant "Contoso Retail" --as omar@northwind.example --wait
  npm run operation -- request provider.connection.verify --tenant Litware --workspace northwind`,
  )
  .action(async (operation: string, options: RequestOptions) => {
    process.exitCode = await onDatabase(
      "The request could not be made",
      { read: () => readConfig(settings.shared), rules: rulesOf },
      (db, config) => request(db, config, terminal, operation, options),
    );
  });

await program.parseAsync();
