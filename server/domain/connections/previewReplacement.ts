import type { Reader } from "../../db/database.ts";
import type { Facts } from "../authority/facts.ts";
import { countStopped, type Stopped } from "../operations/countStopped.ts";
import { listOpenRunsAt } from "../tenants/listOpenRunsAt.ts";

/**
 * The tenant's open runs that a new credential would stop: those that are allowed now and would be denied
 * until it is verified. At most 1,000 are looked at; takes no locks and promises nothing.
 */
export async function previewReplacement(reader: Reader, tenantId: string): Promise<Stopped> {
  return countStopped(reader, await listOpenRunsAt(reader, tenantId), withNewCredential);
}

/** A connection as a new credential leaves it. */
function withNewCredential(facts: Facts): Facts {
  if (facts.connection === null) return facts;
  const { tenantId, credentialVersion } = facts.connection;
  return {
    ...facts,
    connection: {
      tenantId,
      status: "unverified",
      cause: null,
      verifiedAt: null,
      verifiedVersion: null,
      credentialVersion: credentialVersion + 1,
      credentialExpiresAt: null,
      grantedRoles: [],
      approvalRequired: null,
    },
  };
}
