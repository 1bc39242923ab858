import { z } from "zod";
import type { Skipped } from "../../server/domain/backups/backupSets.ts";
import { makeNameBook, type NameBook } from "../../server/domain/backups/nameBook.ts";
import { beginBackup, completeBackup, recordBackupPage } from "../../server/domain/backups/recordBackup.ts";
import { mergedReferences, referencesOf } from "../../server/domain/backups/references.ts";
import { type PolicyType, policyTypes, typeLabels } from "../../server/provider/policyTypes.ts";
import { isRefusalToShow, type ProviderReader } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { inParts } from "../inParts.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({ types: z.array(z.enum(policyTypes)).min(1) });

/**
 * Keeps every policy of the chosen types as the provider gives it, in a set that has the run's id. A type it
 * is refused is skipped and said so; so are names of groups, without which the set is complete all the same.
 */
export const backupCreate = withReauthorization("backup.create", async (run) => {
  const { types } = target.parse(run.target);
  const { provider } = await run.connect();
  await run.effect("set", (tx) => beginBackup(tx, takingOf(run), "backup", types));
  const book = makeNameBook(provider, run.signal);
  const skipped: Skipped[] = [];
  for (const type of types) {
    try {
      await backUpType(run, provider, book, type);
    } catch (error) {
      if (!isRefusalToShow(error)) throw error;
      skipped.push({ type, why: error.message });
    }
  }
  const isEmpty = skipped.length === types.length;
  if (book.groupsProblem !== null) skipped.push({ type: "groups", why: book.groupsProblem });
  await run.effect("complete", (tx) => completeBackup(tx, takingOf(run), skipped), { per: "attempt" });
  if (skipped.length === 0) return { outcome: "succeeded" };
  const message = skipped.map(describe).join("; ");
  return isEmpty
    ? { outcome: "failed", code: "provider_refused", message }
    : { outcome: "partially_succeeded", message };
});

/** Per attempt, as for a sync: a retry may get other pages, and takes out what it no longer finds. */
async function backUpType(
  run: AuthorizedRun,
  provider: ProviderReader,
  book: NameBook,
  type: PolicyType,
): Promise<void> {
  const taking = takingOf(run);
  for await (const page of provider.listPolicies(type, run.signal, { assignments: true })) {
    const references = page.policies.map(({ normalised, assignments }) =>
      referencesOf(normalised, assignments),
    );
    await book.learn(mergedReferences(references));
    for (const [index, policies] of inParts(page.policies, ({ payload }) => payload).entries()) {
      const name = `${type}:page:${page.number}:${index + 1}`;
      await run.effect(name, (tx) => recordBackupPage(tx, taking, type, policies, book.names), {
        per: "attempt",
      });
    }
  }
}

function takingOf({ id: runId, fencingToken, tenantId }: AuthorizedRun) {
  return { runId, fencingToken, tenantId };
}

function describe({ type, why }: Skipped): string {
  return type === "groups"
    ? `Names of groups could not be read: ${why}`
    : `${typeLabels[type]} could not be read: ${why}`;
}
