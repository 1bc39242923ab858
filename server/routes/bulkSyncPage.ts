import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { type LeftOfRun, leftOfSync } from "../domain/bulk/leftOfRun.ts";
import { digestOfChoice } from "../domain/bulk/shownChoice.ts";
import { listTenantsToSync, type TenantsChosen, type TenantsToSync } from "../domain/bulk/tenantsToSync.ts";
import { counted } from "../domain/operations/runWords.ts";
import { tenantKinds } from "../domain/tenants/listTenantsFor.ts";
import { Id } from "../http/ids.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import { SearchText } from "./searchText.ts";
import { Several } from "./several.ts";
import { tried } from "./tried.ts";

const Fields = z.object({
  again: Id.nullable().catch(null),
  tenant: Several.pipe(z.array(Id)).catch([]),
  kind: z.enum(tenantKinds).optional().catch(undefined),
  search: SearchText,
});

/**
 * From an address or a form: a run to ask for again counts first, then tenants one by one, then a list's filters.
 * All in a list only where a list is named, never for want of a choice.
 */
export function parseTenantsChosen(fields: unknown): TenantsChosen {
  const { again, tenant, kind, search } = Fields.parse(fields ?? {});
  if (again !== null) return { again };
  return tenant.length > 0 || kind === undefined ? { ids: tenant } : { matching: { kind, search } };
}

export type HiddenField = { name: string; value: string };

/** What a form sends to choose the same again. */
export function choiceFields(chosen: TenantsChosen): HiddenField[] {
  if ("again" in chosen) return [{ name: "again", value: chosen.again }];
  if ("ids" in chosen) return chosen.ids.map((value) => ({ name: "tenant", value }));
  const { kind, search } = chosen.matching;
  return [{ name: "kind", value: kind }, ...(search === null ? [] : [{ name: "search", value: search }])];
}

export type BulkSyncPage = {
  question: string;
  meaning: string[];
  names: string[];
  more: number;
  count: number;
  digest: string;
  fields: HiddenField[];
  problem: string | null;
  requestKey: string;
  expiries: ExpiryOption[];
};

const namesShown = 20;

export async function readBulkSyncPage(
  reader: Reader,
  viewer: Viewer,
  chosen: TenantsChosen,
  config: { REQUEST_EXPIRY_HOURS: number },
  problem: string | null = null,
): Promise<BulkSyncPage> {
  const found = await tried(() => listTenantsToSync(reader, viewer, chosen));
  const { tenants, notTheirs, notOperable }: TenantsToSync =
    "done" in found ? found.done : { tenants: [], notTheirs: 0, notOperable: 0 };
  const count = tenants.length;
  return {
    question: count === 0 ? "Sync tenants" : `Sync ${counted(count, "tenant", "tenants")}?`,
    meaning: [
      ...("again" in chosen ? [againWords(await leftOfSync(reader, viewer, chosen.again))] : []),
      ...(count === 0
        ? []
        : [
            "One run is made for each, authorized by itself when it begins. Nothing is changed at the tenants.",
          ]),
      ...(notTheirs === 0
        ? []
        : [`${counted(notTheirs, "tenant is", "tenants are")} left out: you may not sync there.`]),
      ...(notOperable === 0
        ? []
        : [`${counted(notOperable, "tenant is", "tenants are")} left out: not active.`]),
    ],
    names: tenants.slice(0, namesShown).map(({ name }) => name),
    more: Math.max(0, count - namesShown),
    count,
    digest: digestOfChoice(tenants.map(({ id }) => id)),
    fields: choiceFields(chosen),
    problem: problem ?? problemOf(found, chosen, count),
    requestKey: randomUUID(),
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS),
  };
}

function againWords({ asked, done }: LeftOfRun): string {
  const was = `The run that is asked for again was to sync ${counted(asked, "tenant", "tenants")}`;
  if (done === 0) return `${was} and synced none.`;
  return done === asked
    ? `${was} and synced all: these are all of them again.`
    : `${was} and synced ${done}: these are the others, as they are now.`;
}

function problemOf(found: object, chosen: TenantsChosen, count: number): string | null {
  if ("ids" in chosen && chosen.ids.length === 0) return "Choose at least one tenant.";
  if ("problems" in found) return "Choose fewer tenants: at most 500 can be synced at a time.";
  return count === 0 ? "None of these tenants can be synced by you now." : null;
}
