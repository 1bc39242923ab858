import type { Db } from "../../server/db/database.ts";
import { counted } from "../../server/domain/operations/runWords.ts";
import { type Account, findAccount, previewDisabling } from "../../server/domain/people/accounts.ts";
import { rolesInWords } from "../../server/domain/people/describeMember.ts";
import { enableAccount } from "../../server/domain/people/disableAccount.ts";
import { terminal, UsageError } from "../terminal.ts";
import { exitCodes } from "./exitCodes.ts";

/** Throws `UsageError` when nobody has the address. */
export async function getAccount(db: Db, email: string): Promise<Account> {
  const account = await findAccount(db, email);
  if (account === undefined) throw new UsageError(`Nobody here has the address ${email}.`);
  return account;
}

/** Says how an account stands. Returns the exit code. */
export async function status(db: Db, email: string): Promise<number> {
  const { id, name, email: address, status: state, sessions } = await getAccount(db, email);
  terminal.print(
    `${name} (${address}): ${state}, signed in with ${counted(sessions, "browser", "browsers")}`,
  );
  const places = await previewDisabling(db, id);
  if (places.length === 0) terminal.print("  a member of no workspace");
  for (const { workspace, assignments, isLastOwner } of places) {
    const live = assignments.filter(({ lapsed }) => !lapsed);
    const roles = live.length === 0 ? "no role" : rolesInWords(live);
    terminal.print(`  ${workspace.name}: ${roles}${isLastOwner ? ", the last owner" : ""}`);
  }
  return exitCodes.done;
}

/** Lets a disabled account be used again. Returns the exit code. */
export async function enable(db: Db, email: string): Promise<number> {
  const { id, name, status: state } = await getAccount(db, email);
  if (state === "active") {
    terminal.print(`${name}'s account is not disabled.`);
    return exitCodes.done;
  }
  await enableAccount(db, id);
  terminal.print(`${name}'s account is enabled: they can sign in, with the roles they have.`);
  return exitCodes.done;
}
