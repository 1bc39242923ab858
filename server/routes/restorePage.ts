import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { findRunFor, type ShownRun } from "../domain/operations/findRunFor.ts";
import { type Badge, counted } from "../domain/operations/runWords.ts";
import { type PlanAction, planActions, planTallies } from "../domain/restores/planItems.ts";
import { findPlanFor, type RestorePlan } from "../domain/restores/plans.ts";
import { endOfPreview } from "../domain/restores/previewExecution.ts";
import { paths, withQuery } from "../http/paths.ts";
import { type PlanRows, readPlanRows } from "./planRows.ts";
import { previewUnderWay, type UnderWay } from "./previewUnderWay.ts";
import { type Readiness, readReadiness } from "./restoreReadiness.ts";
import { actionBadges, optionsInWords } from "./restoreWords.ts";

const Query = z.object({
  action: z
    .enum([...planActions, "all"])
    .nullable()
    .catch(null),
  after: z.coerce.number().int().positive().max(1_000_000).nullable().catch(null),
});

export type PlanQuery = z.infer<typeof Query>;

export function parsePlanQuery(query: unknown): PlanQuery {
  return Query.parse(query);
}

export type RestorePage = {
  id: string;
  address: string;
  runAddress: string | null;
  /** Preview it afresh, with the same choices where the viewer may ask for runs again. */
  againAddress: string | null;
  /** One of the two: what is known of a preview that is not finished, or what it found. */
  underWay: UnderWay | null;
  plan: FinishedPlan | null;
};

export type FinishedPlan = {
  tenant: { name: string; address: string | null };
  source: { words: string; address: string | null };
  headline: string;
  badge: Badge;
  sentences: string[];
  tally: { label: string; count: number }[];
  options: string[];
  madeAt: Date;
  until: Date;
  readiness: Readiness;
  chips: { label: string; href: string; isCurrent: boolean }[];
  list: PlanRows;
};

/** `problem`: why a confirmation could not be taken. */
export async function readRestorePage(
  reader: Reader,
  viewer: Viewer,
  planId: string,
  query: PlanQuery,
  problem: string | null = null,
): Promise<RestorePage> {
  const [plan, run] = await Promise.all([
    findPlanFor(reader, viewer, planId),
    findRunFor(reader, viewer, planId),
  ]);
  const isFinished = plan !== undefined && plan.completedAt !== null;
  return {
    id: planId,
    address: paths.restore(planId),
    runAddress: run === undefined ? null : paths.run(planId),
    againAddress: againAddress(viewer, plan, run),
    underWay: isFinished ? null : await previewUnderWay(reader, run),
    plan: isFinished ? await readFinished(reader, viewer, plan, query, problem) : null,
  };
}

function againAddress(
  viewer: Viewer,
  plan: RestorePlan | undefined,
  run: ShownRun | undefined,
): string | null {
  if (run !== undefined && may(viewer, "operations.rerun", run.tenantId)) return `${paths.run(run.id)}/rerun`;
  const setId = plan?.sourceSetId ?? run?.backupSetId ?? null;
  return setId === null || plan?.sourceKind === null ? null : `${paths.backup(setId)}/restores/new`;
}

async function readFinished(
  reader: Reader,
  viewer: Viewer,
  plan: RestorePlan,
  query: PlanQuery,
  problem: string | null,
): Promise<FinishedPlan> {
  const { actions } = await planTallies(reader, plan.id);
  const { create, update, unchanged, refused } = actions;
  const shown = shownFirst(query.action, create + update + refused);
  const [readiness, list] = await Promise.all([
    readReadiness(reader, viewer, plan, actions),
    readPlanRows(reader, plan.id, shown === "all" ? null : (shown ?? "not_unchanged"), query),
  ]);
  const madeAt = plan.completedAt ?? plan.createdAt;
  const chip = (action: PlanQuery["action"], label: string, count: number) => ({
    label: `${label} ${count.toLocaleString("en-GB")}`,
    href: withQuery(paths.restore(plan.id), { action }),
    isCurrent: action === shown,
  });
  return {
    tenant: {
      name: plan.tenantName,
      address: may(viewer, "tenant.view", plan.tenantId) ? paths.tenant(plan.tenantId) : null,
    },
    source: sourceOf(plan),
    headline: headlineOf(plan, actions),
    badge: badgeFor(readiness),
    sentences: [...(problem === null ? [] : [problem]), ...sentencesFor(actions, readiness)],
    tally: planActions.map((action) => ({ label: actionBadges[action].label, count: actions[action] })),
    options: optionsInWords(plan.options),
    madeAt,
    until: endOfPreview(madeAt),
    readiness,
    chips: [
      chip(null, "All but unchanged", create + update + refused),
      ...planActions.map((action) => chip(action, actionBadges[action].label, actions[action])),
      chip("all", "All", create + update + refused + unchanged),
    ],
    list,
  };
}

/** What is worth a look comes first; where there is nothing of the kind, all is shown. */
function shownFirst(action: PlanQuery["action"], worthALook: number): PlanQuery["action"] {
  return action ?? (worthALook > 0 ? null : "all");
}

function sourceOf(plan: RestorePlan): FinishedPlan["source"] {
  const { sourceKind, sourceSetId, sourceTenantId, sourceTenantName, tenantId } = plan;
  const of = sourceTenantId === tenantId ? "the tenant itself" : sourceTenantName;
  if (sourceKind === null) return { words: `A backup of ${of} that is gone`, address: null };
  const what = sourceKind === "backup" ? "Backup" : "Snapshot";
  return { words: `${what} of ${of}`, address: paths.backup(sourceSetId) };
}

function headlineOf(
  { tenantName, runId }: RestorePlan,
  { create, update }: Record<PlanAction, number>,
): string {
  const parts = [
    ...(create === 0 ? [] : [`create ${counted(create, "policy", "policies")}`]),
    ...(update === 0 ? [] : [`change ${counted(update, "policy", "policies")}`]),
  ];
  if (parts.length === 0) return `There is nothing to restore at ${tenantName}`;
  return `This ${runId === null ? "would" : "was to"} ${parts.join(" and ")} at ${tenantName}`;
}

function sentencesFor({ unchanged, refused }: Record<PlanAction, number>, { state }: Readiness): string[] {
  return [
    ...(unchanged === 0
      ? []
      : [`${counted(unchanged, "policy is", "policies are")} there already, just as in the backup.`]),
    ...(refused === 0
      ? []
      : [
          `${counted(refused, "policy", "policies")} would be refused: see below why, nothing of it is guessed.`,
        ]),
    ...(state === "taken" ? [] : ["Nothing has been changed yet."]),
  ];
}

function badgeFor({ state }: Readiness): Badge {
  switch (state) {
    case "ready":
      return { tone: "run", icon: "archive", label: "Ready to confirm" };
    case "taken":
      return { tone: "wait", icon: "succeeded", label: "Carried out" };
    case "nothing":
      return { tone: "ok", icon: "succeeded", label: "Nothing to do" };
    case "blocked":
      return { tone: "block", icon: "blocked", label: "Would be blocked" };
  }
}
