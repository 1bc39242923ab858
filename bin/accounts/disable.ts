import type { Db } from "../../server/db/database.ts";
import { Conflict } from "../../server/domain/errors.ts";
import { hasStopped, willStop } from "../../server/domain/operations/describeStopped.ts";
import { counted } from "../../server/domain/operations/runWords.ts";
import { type Account, type AccountAt, previewDisabling } from "../../server/domain/people/accounts.ts";
import {
  type DisablingReceipt,
  disableAccount,
  lastOwnerWords,
} from "../../server/domain/people/disableAccount.ts";
import { drainedWords } from "../../server/domain/revocation/describeDrained.ts";
import { stewardWords } from "../../server/domain/schedules/countStewarded.ts";
import { ask, terminal } from "../terminal.ts";
import { exitCodes } from "./exitCodes.ts";
import { getAccount } from "./status.ts";

export type DisableOptions = { yes?: true; leaveWithoutOwner?: true };

/** Says what disabling an account stops, asks, and does it. Returns the exit code. */
export async function disable(
  db: Db,
  email: string,
  { yes = false, leaveWithoutOwner = false }: { yes?: boolean; leaveWithoutOwner?: boolean },
): Promise<number> {
  const account = await getAccount(db, email);
  if (account.status === "disabled") {
    terminal.print(`${account.name}'s account is disabled already.`);
    return exitCodes.done;
  }
  const places = await previewDisabling(db, account.id);
  tellBefore(account, places);
  const orphaned = places.filter(({ isLastOwner }) => isLastOwner);
  if (orphaned.length > 0 && !leaveWithoutOwner)
    return refuse(
      lastOwnerWords(orphaned.map(({ workspace }) => workspace)),
      "To disable the account all the same, add --leave-without-owner.",
    );
  if (!yes && (await ask(`Type ${account.email} to disable the account: `)).trim() !== account.email)
    return refuse("That was not the address.");
  try {
    const receipt = await disableAccount(db, { userId: account.id, leavesWithoutOwner: leaveWithoutOwner });
    tellAfter(account, receipt);
    return receipt.drained.unknown > 0 ? exitCodes.unknown : exitCodes.done;
  } catch (error) {
    if (error instanceof Conflict) return refuse(error.message);
    throw error;
  }
}

function refuse(...why: string[]): number {
  terminal.print(inOne(...why, "Nothing was changed."));
  return exitCodes.refused;
}

function tellBefore({ name, email, sessions }: Account, places: readonly AccountAt[]): void {
  terminal.print(
    `Disabling the account of ${name} (${email}) ends ${counted(sessions, "session", "sessions")}.`,
  );
  for (const { workspace, stops, schedules, isLastOwner } of places) {
    const owner = isLastOwner ? "They are the last owner." : "";
    terminal.print(inOne(`  ${workspace.name}:`, willStop("This", stops), stewardWords(schedules), owner));
  }
}

function tellAfter({ name }: Account, { at, sessions, drained }: DisablingReceipt): void {
  const ended = `${counted(sessions, "session was", "sessions were")} ended.`;
  terminal.print(`${name}'s account is disabled. ${ended}`);
  for (const { workspace, stops, schedules } of at)
    terminal.print(inOne(`  ${workspace.name}:`, hasStopped(stops), stewardWords(schedules)));
  if (drainedWords(drained) !== "") terminal.print(drainedWords(drained));
}

function inOne(...sentences: string[]): string {
  return sentences.filter((sentence) => sentence !== "").join(" ");
}
