import type { Db } from "../../server/db/database.ts";
import {
  countSealedWith,
  resealBatch,
  type Unopened,
} from "../../server/domain/connections/resealCredentials.ts";
import type { CredentialKey } from "../../server/domain/connections/sealing.ts";
import type { Terminal } from "../terminal.ts";

/** What the process ends with; a contract with the scripts that call it. */
export const exitCodes = { done: 0, usage: 1, left: 2 } as const;

/** Seals with the first key what any other has sealed, batch by batch. Returns the exit code. */
export async function rotate(
  db: Db,
  keys: readonly CredentialKey[],
  { print, progress }: Terminal,
): Promise<number> {
  const total = await countLeft(db, keys);
  const unopened: Unopened[] = [];
  let resealed = 0;
  let after: string | null = null;
  do {
    const batch = await resealBatch(db, keys, after);
    resealed += batch.resealed;
    unopened.push(...batch.unopened);
    after = batch.last;
    if (total > 0) progress(`${resealed + unopened.length} of ${total} credentials looked at.`);
  } while (after !== null);
  for (const { tenantName, connectionId, why } of unopened)
    print(`Not sealed anew: ${tenantName} (connection ${connectionId}), because ${why}.`);
  // Counted again: a process that still runs with an older list may have sealed one with it meanwhile.
  const left = await countLeft(db, keys);
  print(summaryOf(resealed, left, keys));
  return left === 0 ? exitCodes.done : exitCodes.left;
}

async function countLeft(db: Db, [first]: readonly CredentialKey[]): Promise<number> {
  const sealed = await countSealedWith(db);
  return sealed
    .filter(({ keyId }) => keyId !== first?.id)
    .reduce((sum, { credentials }) => sum + credentials, 0);
}

function summaryOf(resealed: number, left: number, [first, ...others]: readonly CredentialKey[]): string {
  const done = `${countOf(resealed)} sealed anew with "${first?.id}".`;
  if (left > 0)
    return `${done} ${countOf(left)} still sealed with another key: give every process the same CREDENTIAL_KEYS, the old keys included, and run this again.`;
  const ids = others.map(({ id }) => `"${id}"`).join(", ");
  return others.length === 0
    ? done
    : `${done} Nothing needs ${ids} any more: take ${others.length === 1 ? "it" : "them"} out of CREDENTIAL_KEYS once every process runs with the new list.`;
}

/** Says how many credentials each key has sealed. Returns the exit code. */
export async function status(
  db: Db,
  keys: readonly CredentialKey[],
  { print }: Pick<Terminal, "print">,
): Promise<number> {
  const sealed = await countSealedWith(db);
  const ids = [...new Set([...keys.map(({ id }) => id), ...sealed.map(({ keyId }) => keyId)])];
  const widest = Math.max(...ids.map((id) => id.length));
  for (const id of ids) {
    const { credentials = 0 } = sealed.find(({ keyId }) => keyId === id) ?? {};
    print(`${id.padEnd(widest)}  ${countOf(credentials)}${noteOn(id, keys)}`);
  }
  const isKnown = sealed.every(({ keyId }) => keys.some(({ id }) => id === keyId));
  return isKnown ? exitCodes.done : exitCodes.left;
}

function noteOn(id: string, keys: readonly CredentialKey[]): string {
  if (id === keys[0]?.id) return ", seals what is entered";
  return keys.some((key) => key.id === id)
    ? ""
    : ", which nothing opens: CREDENTIAL_KEYS does not name this key";
}

function countOf(credentials: number): string {
  return `${credentials.toLocaleString("en-GB")} ${credentials === 1 ? "credential" : "credentials"}`;
}
