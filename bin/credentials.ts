import { Command } from "commander";
import { readConfig, settings } from "../server/config.ts";
import type { Db } from "../server/db/database.ts";
import type { CredentialKey } from "../server/domain/connections/sealing.ts";
import { exitCodes, rotate, status } from "./credentials/rotate.ts";
import { onDatabase, type Terminal, terminal } from "./terminal.ts";

const program = new Command("npm run credentials --")
  .description(
    "Looks after the keys that seal the tenants' credentials, for operators of the installation (DATABASE_URL).",
  )
  .showHelpAfterError("Add --help to see how it is used.")
  .addHelpText(
    "after",
    `
Exit codes:
  ${exitCodes.done}  done
  ${exitCodes.usage}  the command or a setting is wrong, or the database cannot be reached
  ${exitCodes.left}  some credentials are sealed with a key that CREDENTIAL_KEYS does not name, or that does not open them

Settings:
  DATABASE_URL     the installation's database
  CREDENTIAL_KEYS  all keys in use, the one to seal with first: id:base64 of 32 bytes, separated by commas

To rotate, put a new key in front of CREDENTIAL_KEYS everywhere and restart web and worker; then rotate; then
take the old key out. It may run while they work: verified connections stay verified.`,
  );

program
  .command("rotate")
  .summary("seal with the first key what any other has sealed")
  .description(
    "Seals every credential anew that is not sealed with the first of CREDENTIAL_KEYS, in batches of 100, each a\n" +
      "transaction of its own with its audit entries. Interrupted, it goes on where it was when run again.",
  )
  .action(() => run(rotate));

program
  .command("status")
  .summary("how many credentials each key has sealed")
  .description("Says how many credentials are sealed with which key, by the key's id.")
  .action(() => run(status));

type Work = (db: Db, keys: readonly CredentialKey[], terminal: Terminal) => Promise<number>;

async function run(work: Work): Promise<void> {
  process.exitCode = await onDatabase(
    "The credentials could not be looked at",
    { read: () => readConfig(settings.credentials) },
    (db, config) => work(db, config.CREDENTIAL_KEYS, terminal),
  );
}

await program.parseAsync();
