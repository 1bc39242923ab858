import type { Reader } from "../db/database.ts";
import type { Lifecycle } from "../domain/authority/contract.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { Conflict } from "../domain/errors.ts";
import { willStop } from "../domain/operations/describeStopped.ts";
import { previewLifecycle, whyNotTo } from "../domain/tenants/changeLifecycle.ts";
import { stepWords } from "../domain/tenants/describeLifecycle.ts";
import { findTenantFor } from "../domain/tenants/findTenantFor.ts";
import { stepBetween } from "../domain/tenants/lifecycleSteps.ts";
import { paths } from "../http/paths.ts";
import type { Problems } from "./tried.ts";

/** A confirmation as it is asked for, or as it was sent with the wrong name. */
export type SentName = { to: Lifecycle; name: string; problems: Problems };

export type LifecyclePage = {
  tenant: { name: string; address: string };
  to: Lifecycle;
  question: string;
  label: string;
  meaning: readonly string[];
  /** Null for what only gives back. */
  stops: string | null;
  /** Set when the tenant's name must be typed. */
  typed: { name: string; problem: string | null } | null;
};

/** What a step would do, before it is taken. Throws `Conflict` for one that cannot be taken from here. */
export async function readLifecyclePage(
  reader: Reader,
  viewer: Viewer,
  tenantId: string,
  sent: SentName,
): Promise<LifecyclePage | undefined> {
  const tenant = await findTenantFor(reader, viewer, tenantId);
  if (tenant === undefined) return undefined;
  const problem = whyNotTo(tenant, sent.to);
  if (problem !== null) throw new Conflict(problem);
  const words = stepWords[sent.to];
  const needsName = stepBetween(tenant.lifecycle, sent.to)?.needs === "typed_name";
  return {
    tenant: { name: tenant.name, address: paths.tenant(tenantId) },
    to: sent.to,
    question: words.question(tenant.name),
    label: words.label,
    meaning: words.meaning,
    stops:
      sent.to === "active"
        ? null
        : willStop(words.doing(tenant.name), await previewLifecycle(reader, tenantId, sent.to)),
    typed: needsName ? { name: sent.name, problem: sent.problems.name ?? null } : null,
  };
}
