import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import type { Decision } from "../domain/authority/decide.ts";
import { may, mayAnywhere, type Viewer } from "../domain/authority/viewer.ts";
import type { ListedRun } from "../domain/operations/listedRun.ts";
import { listRuns, noFilters, type RunCursor } from "../domain/operations/listRuns.ts";
import { previewRuns } from "../domain/operations/previewRuns.ts";
import { runScopeOf } from "../domain/operations/runScope.ts";
import { capitalised, counted, reasonClause, titleOf } from "../domain/operations/runWords.ts";
import { findTenantFor } from "../domain/tenants/findTenantFor.ts";
import { countQueued, findHold, type HoldRow, heldCountLimit } from "../domain/tenants/holdRows.ts";
import { paths, withQuery } from "../http/paths.ts";
import { type DurationOption, durationOptions } from "./durations.ts";
import type { SentHold } from "./tenantActions.ts";
import { workspaceOf } from "./workspaceOf.ts";

export type LineCursor = RunCursor;

/** What waits behind a hold, or would wait behind one. */
export type HoldPage = {
  /** Whose hold it is; `address` leads back to it. */
  subject: { kind: "tenant" | "workspace"; name: string; address: string };
  headline: string;
  hold: HoldRow | null;
  /** A hold of the workspace, on the page of one of its tenants. */
  wider: HoldRow | null;
  summary: string;
  actions: { place: string; release: string; choose: string };
  /** The form to place one; null while there is one or where nothing runs. */
  place: { reason: string; durations: DurationOption[]; problem: string | null } | null;
  rows: WaitingRow[];
  why: string | null;
  pages: { newer: string | null; older: string | null };
};

export type WaitingRow = {
  id: string;
  title: string;
  tenant: string | null;
  initiator: string;
  requestedAt: Date;
  /** What would become of it if it were let go now. */
  prospect: string;
  isRisk: boolean;
  /** It waits for the hold, so that it may be let through. */
  isHeld: boolean;
};

type Place = {
  subject: HoldPage["subject"];
  wider: HoldRow | null;
  canHold: boolean;
};

/** Undefined where the viewer may not see the tenant. `sent` is a hold form to be shown again. */
export async function readHoldPage(
  reader: Reader,
  viewer: Viewer,
  tenantId: string | null,
  { cursor, sent }: { cursor: LineCursor; sent: SentHold | undefined },
): Promise<HoldPage | undefined> {
  const place = tenantId === null ? placeOfWorkspace(viewer) : await placeOfTenant(reader, viewer, tenantId);
  if (place === undefined) return undefined;
  const at = { workspaceId: workspaceOf(viewer).id, tenantId };
  const [hold = null, queued, waiting] = await Promise.all([
    findHold(reader, at),
    countQueued(reader, at),
    readWaiting(reader, viewer, tenantId, cursor),
  ]);
  const { subject } = place;
  const address = paths.hold(tenantId);
  return {
    subject,
    headline: headlineOf(subject, hold),
    hold,
    wider: place.wider,
    summary: summaryOf(queued, hold),
    actions: {
      place: address,
      release: tenantId === null ? "/admin/release" : `${subject.address}/release`,
      choose: `${address}/runs`,
    },
    place: hold === null && place.canHold ? placeForm(sent) : null,
    ...waiting,
  };
}

function placeOfWorkspace(viewer: Viewer): Place {
  const subject = { kind: "workspace", name: workspaceOf(viewer).name, address: paths.tenants } as const;
  return { subject, wider: null, canHold: true };
}

async function placeOfTenant(reader: Reader, viewer: Viewer, tenantId: string): Promise<Place | undefined> {
  const tenant = await findTenantFor(reader, viewer, tenantId);
  if (tenant === undefined) return undefined;
  const subject = { kind: "tenant", name: tenant.name, address: paths.tenant(tenantId) } as const;
  return { subject, wider: tenant.workspaceHold, canHold: tenant.lifecycle !== "archived" };
}

function headlineOf({ kind, name }: HoldPage["subject"], hold: HoldRow | null): string {
  const what = kind === "tenant" ? name : `The whole of ${name}`;
  return hold === null ? `${what} is not on hold` : `${what} is on hold`;
}

function summaryOf(queued: number, hold: HoldRow | null): string {
  const more = queued === heldCountLimit ? "At least " : "";
  const runs = counted(queued, "run", "runs");
  if (hold === null) return queued === 0 ? "Nothing is queued." : `${more}${runs} would wait behind a hold.`;
  return queued === 0
    ? "Nothing waits behind it."
    : `${more}${runs} ${queued === 1 ? "waits" : "wait"} behind it.`;
}

function placeForm(sent: SentHold | undefined): HoldPage["place"] {
  return {
    reason: sent?.reason ?? "",
    durations: durationOptions("until it is released", sent?.forHours),
    problem: sent === undefined ? null : capitalised(Object.values(sent.problems).join(" ")),
  };
}

async function readWaiting(
  reader: Reader,
  viewer: Viewer,
  tenantId: string | null,
  cursor: LineCursor,
): Promise<Pick<HoldPage, "rows" | "why" | "pages">> {
  const maySee =
    tenantId === null ? mayAnywhere(viewer, "operations.view") : may(viewer, "operations.view", tenantId);
  if (!maySee) {
    const why = `You need operations.view to ${capabilities["operations.view"]}.`;
    return { rows: [], why, pages: { newer: null, older: null } };
  }
  const found = await listRuns(
    reader,
    runScopeOf(viewer),
    { ...noFilters, status: "queued", tenantId },
    cursor,
  );
  const verdicts = await previewRuns(
    reader,
    found.runs.map(({ id }) => id),
  );
  const address = paths.hold(tenantId);
  return {
    rows: found.runs.map((run) => toRow(run, verdicts.get(run.id))),
    why: null,
    pages: {
      newer: found.newer === null ? null : withQuery(address, { after: found.newer }),
      older: found.older === null ? null : withQuery(address, { before: found.older }),
    },
  };
}

function toRow(run: ListedRun, now: Decision | undefined): WaitingRow {
  return {
    id: run.id,
    title: titleOf(run.operation),
    tenant: run.tenantName,
    initiator: run.initiatorName ?? "System",
    requestedAt: run.requestedAt,
    prospect: prospectOf(run, now),
    isRisk: now?.verdict === "denied",
    isHeld: run.hold !== null,
  };
}

function prospectOf(run: ListedRun, now: Decision | undefined): string {
  switch (now?.verdict) {
    case undefined:
      return "What would become of it is not known to this release.";
    case "denied":
      return `Would be blocked: ${reasonClause(run, now.reasonCode, now.checks)}.`;
    case "deferred":
      return "Would wait for others at its tenant, then start.";
    case "allowed":
      return "Would start.";
  }
}
