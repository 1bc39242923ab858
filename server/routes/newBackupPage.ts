import { randomUUID } from "node:crypto";
import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { reasonClause } from "../domain/operations/runWords.ts";
import { findTenantFor } from "../domain/tenants/findTenantFor.ts";
import { previewRequests } from "../domain/tenants/previewRequests.ts";
import { paths } from "../http/paths.ts";
import { policyTypes, typeLabels } from "../provider/policyTypes.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import type { Problems } from "./tried.ts";

/** A form as it was sent. */
export type SentBackup = { types: readonly string[]; hours: number; requestKey: string; problems: Problems };

export type NewBackupPage = {
  tenant: { name: string; address: string };
  types: { value: string; label: string; isChosen: boolean }[];
  problem: string | null;
  /** Why it would be blocked now; null when it would not. */
  blocked: string | null;
  isHeld: boolean;
  expiries: ExpiryOption[];
  requestKey: string;
};

/** What can be backed up of a tenant. Undefined where the viewer may not see it. */
export async function readNewBackupPage(
  reader: Reader,
  viewer: Viewer,
  tenantId: string,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentBackup,
): Promise<NewBackupPage | undefined> {
  const tenant = await findTenantFor(reader, viewer, tenantId);
  if (tenant === undefined) return undefined;
  const requests = await previewRequests(reader, viewer, tenant);
  const decision = requests.find(({ operation }) => operation === "backup.create")?.decision;
  const subject = { operation: "backup.create", initiatorName: viewer.user.name, tenantName: tenant.name };
  return {
    tenant: { name: tenant.name, address: paths.tenant(tenantId) },
    types: policyTypes.map((type) => ({
      value: type,
      label: typeLabels[type],
      isChosen: sent === undefined || sent.types.includes(type),
    })),
    problem: sent?.problems.types ?? null,
    blocked:
      decision?.verdict === "denied"
        ? reasonClause(subject, decision.reasonCode, decision.checks).replace(/\.$/, "")
        : null,
    isHeld: tenant.hold !== null || tenant.workspaceHold !== null,
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS, sent?.hours),
    requestKey: sent?.requestKey ?? randomUUID(),
  };
}
