import type { Db, Tx } from "../../db/database.ts";
import { makeNameBook } from "../../domain/backups/nameBook.ts";
import { mergedReferences, referencesOf } from "../../domain/backups/references.ts";
import { makeTargetBook } from "../../domain/restores/targetBook.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { Provider, ProviderPolicy, ProviderReader } from "../../provider/port.ts";
import { adatum, contoso, type Tenant } from "./cast.ts";
import { secretOf } from "./directories.ts";
import { insertPastRuns } from "./insertPastRuns.ts";
import { keepSet, ofType, type Policies } from "./keepSets.ts";
import { type Directory, makePastRestores, withoutEdits } from "./makePastRestores.ts";
import { pastBackups } from "./pastBackups.ts";
import { editedAt } from "./pastRestores.ts";
import { rememberLastRuns } from "./schedules.ts";
import { later, tellRun } from "./tellRun.ts";

/** The backups and restores of the days before, of what is in the directories; does nothing when they are there. */
export async function rememberBackups(db: Db, provider: Provider): Promise<void> {
  if ((await db.query("select 1 from backup_sets limit 1")).length > 0) return;
  const [atContoso, atAdatum] = await Promise.all([
    readDirectory(provider, contoso),
    readDirectory(provider, adatum),
  ]);
  const now = new Date();
  await db.transaction(async (tx) => {
    await rememberBackupsOf(tx, contoso, atContoso, now);
    await rememberBackupsOf(tx, adatum, atAdatum, now);
    await makePastRestores(tx, atContoso, now);
    await rememberLastRuns(tx);
  });
}

async function rememberBackupsOf(tx: Tx, tenant: Tenant, directory: Directory, now: Date): Promise<void> {
  const told = pastBackups(now)
    .filter((run) => run.tenant === tenant)
    .map((run) => tellRun(run, now));
  await insertPastRuns(tx, told, now);
  for (const run of told) {
    const isBefore = run.completedAt < later(now, -editedAt * 3_600);
    const policies = tenant === contoso && isBefore ? withoutEdits(directory) : directory.policies;
    await keepSet(tx, run, "backup", { policies, names: directory.names });
  }
}

async function readDirectory({ openReader, model }: Provider, tenant: Tenant): Promise<Directory> {
  const { clientId } = tenant.connection;
  const proof = { kind: "secret", secret: secretOf(tenant) } as const;
  const reader = openReader({ directoryId: tenant.directoryId, clientId, proof });
  const signal = AbortSignal.timeout(20_000);
  const policies = await readPolicies(reader, signal);
  const names = makeNameBook(reader, signal);
  const references = mergedReferences(
    policyTypes.flatMap((type) =>
      ofType(policies, type).map(({ normalised, assignments }) => referencesOf(normalised, assignments)),
    ),
  );
  await names.learn(references);
  const book = makeTargetBook(reader, { tenantName: tenant.name, isElsewhere: false }, signal);
  await book.learn(references, names.names);
  return { policies, names: names.names, resolve: book.resolve, model };
}

async function readPolicies(reader: ProviderReader, signal: AbortSignal): Promise<Policies> {
  const found = new Map<PolicyType, ProviderPolicy[]>();
  for (const type of policyTypes) {
    const policies: ProviderPolicy[] = [];
    for await (const page of reader.listPolicies(type, signal, { assignments: true }))
      policies.push(...page.policies);
    found.set(type, policies);
  }
  return found;
}
