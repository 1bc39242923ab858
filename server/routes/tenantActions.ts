import { randomUUID } from "node:crypto";
import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { contractOf, type OperationName } from "../domain/operations/catalog.ts";
import { capitalised, reasonClause } from "../domain/operations/runWords.ts";
import { type PossibleStep, possibleSteps } from "../domain/tenants/describeLifecycle.ts";
import type { Tenant } from "../domain/tenants/findTenantFor.ts";
import type { PossibleRequest } from "../domain/tenants/previewRequests.ts";
import { type DurationOption, durationOptions } from "./durations.ts";
import type { Problems } from "./tried.ts";

/** A hold form that could not be used, to be shown again. */
export type SentHold = { reason: string; forHours: number | null; problems: Problems };

/** An operation to start. Sending the same key twice makes one run. */
export type StartButton = {
  operation: OperationName;
  title: string;
  requestKey: string;
  /** Why it cannot be started now; null when it can. */
  problem: string | null;
};

export type HoldAction =
  | { kind: "release" }
  | { kind: "place"; reason: string; durations: DurationOption[]; problem: string | null }
  | { kind: "none"; why: string };

export type LifecycleAction = { steps: PossibleStep[]; why: string | null };

export type TenantActions = { start: StartButton[]; hold: HoldAction; lifecycle: LifecycleAction };

/** What the viewer can do with a tenant, and why not where they cannot. */
export function tenantActions(
  viewer: Viewer,
  tenant: Tenant,
  requests: readonly PossibleRequest[],
  sent: SentHold | undefined,
): TenantActions {
  const isManager = may(viewer, "tenant.manage", tenant.id);
  return {
    start: requests.map((request) => startButton(viewer, tenant, request)),
    hold: holdAction(viewer, tenant, sent),
    lifecycle: {
      steps: isManager ? possibleSteps(tenant) : [],
      why: isManager ? null : `You need tenant.manage to ${capabilities["tenant.manage"]}.`,
    },
  };
}

export function verifyButton({ start }: TenantActions): StartButton | null {
  return start.find(({ operation }) => operation === "provider.connection.verify") ?? null;
}

function startButton(viewer: Viewer, tenant: Tenant, { operation, decision }: PossibleRequest): StartButton {
  const { title, capability } = contractOf(operation);
  const button = { operation, title, requestKey: randomUUID() };
  if (decision.verdict !== "denied") return { ...button, problem: null };
  if (decision.denialClass === "capability_denied")
    return { ...button, problem: `You need ${capability} to ${capabilities[capability]}.` };
  const subject = { operation, initiatorName: viewer.user.name, tenantName: tenant.name };
  // A cause in the provider's words may be a sentence already.
  const why = reasonClause(subject, decision.reasonCode, decision.checks).replace(/\.$/, "");
  return { ...button, problem: `It would be blocked: ${why}.` };
}

function holdAction(viewer: Viewer, tenant: Tenant, sent: SentHold | undefined): HoldAction {
  if (!may(viewer, "tenant.hold", tenant.id))
    return { kind: "none", why: `You need tenant.hold to ${capabilities["tenant.hold"]}.` };
  if (tenant.hold !== null) return { kind: "release" };
  if (tenant.lifecycle === "archived") return { kind: "none", why: "Nothing runs here that could be held." };
  return {
    kind: "place",
    reason: sent?.reason ?? "",
    durations: durationOptions("until it is released", sent?.forHours),
    problem: sent === undefined ? null : capitalised(Object.values(sent.problems).join(" ")),
  };
}
