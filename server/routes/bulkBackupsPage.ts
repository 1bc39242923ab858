import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import {
  type BackupsChosen,
  type BackupsToDelete,
  findBackupsToDelete,
} from "../domain/bulk/backupsToDelete.ts";
import { type LeftOfRun, leftOfBackupDeletion } from "../domain/bulk/leftOfRun.ts";
import { digestOfChoice } from "../domain/bulk/shownChoice.ts";
import { Forbidden } from "../domain/errors.ts";
import { counted } from "../domain/operations/runWords.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import { Several } from "./several.ts";
import { type Problems, tried } from "./tried.ts";

const Fields = z.object({
  again: Id.nullable().catch(null),
  set: Several.pipe(z.array(Id)).catch([]),
  all: z.literal("yes").optional().catch(undefined),
  tenant: Id.nullable().catch(null),
  kind: z.enum(["backup", "snapshot"]).nullable().catch(null),
});

/** From an address or a form: a run to ask for again, else all of a tenant that match, else those named. */
export function parseBackupsChosen(fields: unknown): BackupsChosen {
  const { again, set, all, tenant, kind } = Fields.parse(fields ?? {});
  if (again !== null) return { again };
  return all === "yes" && tenant !== null ? { matching: { tenantId: tenant, kind } } : { ids: set };
}

/** A confirmation as it was sent. */
export type SentDeletion = {
  tenantName: string;
  reason: string;
  hours: number;
  requestKey: string;
  problems: Problems;
};

export type BulkBackupsPage = {
  question: string;
  problem: string | null;
  /** Null when there is nothing that could be deleted together. */
  found: { tenantName: string; oldest: Date; newest: Date; digest: string } | null;
  meaning: string[];
  fields: { name: string; value: string }[];
  back: string;
  requestKey: string;
  expiries: ExpiryOption[];
  sent: Pick<SentDeletion, "tenantName" | "reason" | "problems">;
};

/** What deleting them would do. Throws `Forbidden` where the viewer may not. */
export async function readBulkBackupsPage(
  reader: Reader,
  viewer: Viewer,
  chosen: BackupsChosen,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentDeletion,
): Promise<BulkBackupsPage> {
  const answer = await tried(() => findBackupsToDelete(reader, viewer, chosen));
  const found = "done" in answer ? answer.done : null;
  if (found !== null && !may(viewer, "backup.delete", found.tenantId)) throw new Forbidden("backup.delete");
  return {
    question: found === null ? "Delete backups" : questionFor(found),
    problem: sent?.problems.sets ?? ("problems" in answer ? (answer.problems.sets ?? null) : null),
    found:
      found === null
        ? null
        : {
            tenantName: found.tenantName,
            oldest: found.oldest,
            newest: found.newest,
            digest: digestOfChoice(found.setIds),
          },
    meaning: [
      ...("again" in chosen ? [againWords(await leftOfBackupDeletion(reader, viewer, chosen.again))] : []),
      ...(found === null ? [] : meaningOf(found)),
    ],
    fields: fieldsFor(chosen),
    back: withQuery(paths.backups, { tenant: found?.tenantId }),
    requestKey: sent?.requestKey ?? randomUUID(),
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS, sent?.hours),
    sent: sent ?? { tenantName: "", reason: "", problems: {} },
  };
}

function questionFor({ setIds, tenantName }: BackupsToDelete): string {
  return `Delete ${counted(setIds.length, "backup", "backups")} of ${tenantName}?`;
}

function againWords({ asked, ids }: LeftOfRun): string {
  const was = `The run that is asked for again was to delete ${counted(asked, "backup", "backups")}`;
  return ids.length === asked
    ? `${was}; all are there still.`
    : `${was}; ${ids.length} of them are there still.`;
}

function meaningOf({ items, beingTaken, reliedOn }: BackupsToDelete): string[] {
  return [
    `${counted(items, "policy that is", "policies that are")} in them cannot be restored any more. Nothing is changed at the tenant.`,
    ...(reliedOn === 0
      ? []
      : [
          `${counted(reliedOn, "run relies", "runs rely")} on them and will be blocked: what waits when it begins, what runs before its next change.`,
        ]),
    ...(beingTaken === 0
      ? []
      : [`${counted(beingTaken, "other one is", "other ones are")} still being taken and left out.`]),
  ];
}

function fieldsFor(chosen: BackupsChosen): BulkBackupsPage["fields"] {
  if ("again" in chosen) return [{ name: "again", value: chosen.again }];
  if ("ids" in chosen) return chosen.ids.map((value) => ({ name: "set", value }));
  const { tenantId, kind } = chosen.matching;
  return [
    { name: "all", value: "yes" },
    { name: "tenant", value: tenantId },
    ...(kind === null ? [] : [{ name: "kind", value: kind }]),
  ];
}
