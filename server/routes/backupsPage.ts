import { z } from "zod";
import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { type BackupSet, listBackupSetsFor } from "../domain/backups/backupSets.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import { listTenantChoices, type TenantChoice } from "../domain/tenants/listTenantChoices.ts";
import { mayOpen } from "../http/allows.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { badgeOfSet, kindLabels, typesInWords } from "./backupWords.ts";
import { workspaceOf } from "./workspaceOf.ts";

const kinds = ["backup", "snapshot"] as const;

/** What the list's address means. What it does not understand, it does without: an old bookmark still opens. */
const Query = z.object({
  tenant: Id.nullable().catch(null),
  kind: z.enum(kinds).nullable().catch(null),
  after: Id.nullable().catch(null),
});

export type BackupsQuery = z.infer<typeof Query>;

export function parseBackupsQuery(query: unknown): BackupsQuery {
  return Query.parse(query);
}

export type BackupRow = Pick<BackupSet, "id" | "tenantName" | "takenAt" | "items" | "state"> & {
  address: string;
  badge: Badge;
  kind: string;
  by: string;
  types: string;
};

export type BackupsPage = {
  workspaceName: string;
  chips: { label: string; href: string; isCurrent: boolean }[];
  kind: string | null;
  tenants: { value: string; label: string; isSelected: boolean }[];
  rows: BackupRow[];
  /** Where those chosen can be deleted, and all of a tenant that match; null for who may not, or must choose one. */
  deletion: { all: string | null } | null;
  pages: { newer: string | null; older: string | null };
  empty: { title: string; words: string; link: { href: string; label: string } | null } | null;
};

export async function readBackupsPage(
  reader: Reader,
  viewer: Viewer,
  query: BackupsQuery,
): Promise<BackupsPage> {
  const [{ sets, next }, tenants] = await Promise.all([
    listBackupSetsFor(reader, viewer, { tenantId: query.tenant, kind: query.kind }, query.after),
    listTenantChoices(reader, viewer, "backup.view"),
  ]);
  return {
    workspaceName: workspaceOf(viewer).name,
    chips: [null, ...kinds].map((kind) => ({
      label:
        kind === null
          ? "All"
          : `${kindLabels[kind]}s`.replace("Snapshot before a changes", "Snapshots before a change"),
      href: addressOf({ ...query, kind, after: null }),
      isCurrent: kind === query.kind,
    })),
    kind: query.kind,
    tenants: tenants.map(({ id, name }) => ({ value: id, label: name, isSelected: id === query.tenant })),
    rows: sets.map(toRow),
    deletion: mayOpen(viewer, "GET /admin/bulk/backups") ? { all: deleteAllAddress(query) } : null,
    pages: {
      newer: query.after === null ? null : addressOf({ ...query, after: null }),
      older: next === null ? null : addressOf({ ...query, after: next }),
    },
    empty: sets.length > 0 ? null : emptyState(viewer, query, tenants),
  };
}

/** A set as lists show it. */
export function toRow(set: BackupSet): BackupRow {
  const { id, tenantName, takenAt, items, state, kind, initiatorName, types } = set;
  return {
    ...{ id, tenantName, takenAt, items, state },
    address: paths.backup(id),
    badge: badgeOfSet(set),
    kind: kindLabels[kind],
    by: initiatorName ?? "System",
    types: typesInWords(types),
  };
}

function deleteAllAddress({ tenant, kind }: BackupsQuery): string | null {
  return tenant === null ? null : withQuery(paths.bulkBackups, { all: "yes", tenant, kind });
}

function addressOf({ tenant, kind, after }: BackupsQuery): string {
  return withQuery(paths.backups, { tenant, kind, after });
}

function emptyState(
  viewer: Viewer,
  query: BackupsQuery,
  tenants: readonly TenantChoice[],
): BackupsPage["empty"] {
  const all = { href: paths.backups, label: "Show all backups" };
  if (query.after !== null) return { title: "No more backups", words: "", link: all };
  if (query.tenant !== null || query.kind !== null) {
    const tenant = tenants.find(({ id }) => id === query.tenant);
    const names = [
      ...(query.kind === null ? [] : [query.kind === "backup" ? "backups" : "snapshots before a change"]),
      ...(query.tenant === null ? [] : [`of ${tenant?.name ?? "one tenant"}`]),
    ];
    return { title: "No backups match", words: `The list shows only those: ${names.join(" ")}.`, link: all };
  }
  return {
    title: "No backups yet",
    words: "Open a tenant and choose “Back up”: what is taken of it is listed here and can be restored.",
    link: mayOpen(viewer, "GET /admin/tenants") ? { href: paths.tenants, label: "Go to tenants" } : null,
  };
}
