import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { describeExpiry, type Expiry } from "../domain/connections/describeExpiry.ts";
import { findStoredCredential, type StoredCredential } from "../domain/connections/findStoredCredential.ts";
import {
  describeOperations,
  describeTypes,
  type OperationPermissions,
  type TypePermissions,
} from "../domain/connections/permissions.ts";
import { previewReplacement } from "../domain/connections/previewReplacement.ts";
import { willStop } from "../domain/operations/describeStopped.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import { connectionBadges, noConnection } from "../domain/tenants/describeTenant.ts";
import { findTenantFor, type Tenant } from "../domain/tenants/findTenantFor.ts";
import { previewRequests } from "../domain/tenants/previewRequests.ts";
import { paths } from "../http/paths.ts";
import type { ShownCredential } from "./connectionForm.ts";
import { type StartButton, tenantActions, verifyButton } from "./tenantActions.ts";

export type ConnectionPage = {
  tenant: Pick<Tenant, "id" | "name" | "directoryId" | "connection"> & { address: string };
  address: string;
  badge: Badge;
  headline: string;
  sentences: string[];
  stored: StoredCredential | null;
  expiry: Expiry | null;
  /** Null where the viewer would not be let verify, or there is nothing to verify. */
  verify: StartButton | null;
  permissions: Permissions;
  form: ConnectionForm;
};

/** `known`: the present credential was verified at some time, so what is not granted is missing. */
type Permissions = {
  known: boolean;
  granted: readonly string[];
  operations: OperationPermissions[];
  types: TypePermissions[];
};

type ConnectionForm = {
  title: string;
  /** What it does, a sentence each. */
  meaning: string[];
  stops: string | null;
  sent: ShownCredential;
  /** Why nothing can be entered; null when it can. */
  why: string | null;
};

/** Undefined where the viewer may not see the tenant. `sent` is a form to be shown again. */
export async function readConnectionPage(
  reader: Reader,
  viewer: Viewer,
  tenantId: string,
  sent?: ShownCredential,
): Promise<ConnectionPage | undefined> {
  const tenant = await findTenantFor(reader, viewer, tenantId);
  if (tenant === undefined) return undefined;
  const { connection } = tenant;
  const [stored, requests] = await Promise.all([
    connection === null ? undefined : findStoredCredential(reader, connection.id),
    previewRequests(reader, viewer, tenant),
  ]);
  const granted = connection?.grantedRoles ?? [];
  return {
    tenant: { ...tenant, address: paths.tenant(tenantId) },
    address: paths.connection(tenantId),
    badge: connection === null ? noConnection : connectionBadges[connection.status],
    ...standingOf(tenant, stored !== undefined),
    stored: stored ?? null,
    expiry: describeExpiry(connection?.credentialExpiresAt ?? null, new Date()),
    verify: stored === undefined ? null : verifyButton(tenantActions(viewer, tenant, requests, undefined)),
    permissions: {
      known: connection !== null && connection.verifiedAt !== null,
      granted,
      operations: describeOperations(granted),
      types: describeTypes(granted),
    },
    form: await formFor(reader, viewer, tenant, stored !== undefined, sent),
  };
}

function standingOf(
  { name, connection }: Tenant,
  isStored: boolean,
): { headline: string; sentences: string[] } {
  if (connection === null || !isStored)
    return {
      headline: `${name} has no credential`,
      sentences: ["Nothing can be read from or written to it until one is entered and verified."],
    };
  switch (connection.status) {
    case "verified":
      return {
        headline: `The connection of ${name} is verified`,
        sentences: ["The credential works, and it is of this tenant's directory."],
      };
    case "unverified":
      return {
        headline: `The connection of ${name} is not verified`,
        sentences: [
          "Nobody has tried the present credential yet. Verify it: other operations are blocked until then.",
        ],
      };
    case "invalid":
      return {
        headline: `The connection of ${name} is refused`,
        sentences: [
          connection.cause ?? "No cause was kept.",
          "Enter a credential that works, then verify it.",
        ],
      };
  }
}

async function formFor(
  reader: Reader,
  viewer: Viewer,
  tenant: Tenant,
  isStored: boolean,
  sent: ShownCredential | undefined,
): Promise<ConnectionForm> {
  const comesBack = tenant.lifecycle === "archived";
  const mayBringBack = !comesBack || may(viewer, "tenant.manage", tenant.id);
  return {
    title: comesBack
      ? `Bring ${tenant.name} back`
      : isStored
        ? "Replace the credential"
        : "Enter a credential",
    meaning: [
      ...(comesBack ? ["The tenant is archived. New credentials bring it back to onboarding."] : []),
      ...(isStored
        ? ["What was verified with the present credential no longer counts, also for what runs now."]
        : []),
      "Verify the connection afterwards: until then only that can run.",
    ],
    stops: isStored
      ? willStop("Replacing the credential", await previewReplacement(reader, tenant.id))
      : null,
    sent: sent ?? {
      kind: "secret",
      client_id: tenant.connection?.clientId ?? "",
      expires_on: "",
      certificate: "",
      problems: {},
    },
    why: mayBringBack
      ? null
      : `The tenant is archived. You need tenant.manage to ${capabilities["tenant.manage"]}.`,
  };
}
