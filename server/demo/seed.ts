import type { Db, Reader } from "../db/database.ts";
import type { CredentialKey } from "../domain/connections/sealing.ts";
import { makeGraphProvider } from "../provider/graph/makeGraphProvider.ts";
import { startSandbox } from "./sandbox/startSandbox.ts";
import { adatum, contoso, fabrikamHq, litware, northwind } from "./seed/cast.ts";
import { directories } from "./seed/directories.ts";
import { haveFirstRunsEnded, makeFirstRuns } from "./seed/firstRuns.ts";
import { insertCast } from "./seed/insertCast.ts";
import { insertHistory } from "./seed/insertHistory.ts";
import { rememberBackups } from "./seed/rememberBackups.ts";
import { rememberInventory } from "./seed/rememberInventory.ts";
import { later } from "./seed/tellRun.ts";

/** The connections were last verified so long ago (seconds). */
const verifiedAgo = 5 * 86_400;

/**
 * Fills an empty, migrated database with the demo: who there is, what happened in the days before, and some
 * runs of just now. Goes on where an interrupted seed ended; does nothing when it is all there, whatever has
 * been done with it since. Returns whether it did anything.
 */
export async function seed(db: Db, keys: readonly CredentialKey[]): Promise<boolean> {
  const isFirst = !(await hasCast(db));
  if (isFirst) {
    const now = new Date();
    await db.transaction(async (tx) => {
      await insertCast(tx, keys, later(now, -verifiedAgo));
      await insertHistory(tx, now);
    });
  }
  if (await haveFirstRunsEnded(db)) return isFirst;
  await catchUp(db, keys);
  return true;
}

async function hasCast(reader: Reader): Promise<boolean> {
  return (await reader.query("select 1 from workspaces where id = $1", [northwind.id])).length > 0;
}

async function catchUp(db: Db, keys: readonly CredentialKey[]): Promise<void> {
  const sandbox = await startSandbox({ port: 0, directories });
  const provider = makeGraphProvider({ graphUrl: sandbox.url, loginUrl: sandbox.url });
  try {
    await Promise.all(
      [contoso, adatum, litware, fabrikamHq].map((tenant) => rememberInventory(db, provider, tenant)),
    );
    await rememberBackups(db, provider);
    await makeFirstRuns(db, keys, provider);
  } finally {
    await sandbox.close();
  }
}
