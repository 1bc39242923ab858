import { listMissing, type MissingRole } from "../../server/domain/connections/permissions.ts";
import { recordRejection, recordVerification } from "../../server/domain/connections/recordVerification.ts";
import { ProviderError } from "../../server/provider/port.ts";
import type { AuthorizedRun, Connected } from "../authorizedRun.ts";
import { withReauthorization } from "../withReauthorization.ts";

/**
 * Proves a connection (handbook 4, "Verification"): a token is issued, it is the tenant's directory's, the
 * organization answers and agrees, and which permissions are granted. The result is an authority fact, so its
 * effect holds the connection's key exclusively.
 */
export const connectionVerify = withReauthorization("provider.connection.verify", async (run) => {
  const connected = await connectOrNone(run);
  if (connected === undefined)
    return { outcome: "failed", code: "verification_failed", message: noCredential };
  const proof = await prove(connected, run.signal);
  const { id: connectionId, credentialVersion } = connected.connection;
  // A retry that finds out something else, or about another credential, must not pass for what is recorded.
  const effect = `verification:${credentialVersion}:${proof.kind}`;
  if (proof.kind === "refuted") {
    const { cause } = proof;
    await run.effect(effect, async (tx) => {
      await recordRejection(tx, { connectionId, credentialVersion, cause, runId: run.id });
      return { items: 1, counts: { refuted: 1 } };
    });
    return { outcome: "failed", code: "verification_failed", message: cause };
  }
  const { grantedRoles } = proof;
  // Stays true when an earlier attempt recorded it: then the effect is not done again.
  let isPresent = true;
  await run.effect(effect, async (tx) => {
    isPresent = await recordVerification(tx, {
      connectionId,
      credentialVersion,
      grantedRoles,
      runId: run.id,
    });
    return { items: 1, counts: isPresent ? { verified: 1 } : {} };
  });
  if (!isPresent) return { outcome: "failed", code: "verification_failed", message: outdated };
  const missing = listMissing("read", grantedRoles);
  return missing.length === 0
    ? { outcome: "succeeded" }
    : { outcome: "partially_succeeded", message: skippedWords(missing) };
});

const noCredential = "No credential is stored for the connection: there is nothing to verify.";
const outdated = "The credential was replaced while the old one was being tried: verify again.";

/** Without a credential there is nothing to try, and trying again would not help. */
async function connectOrNone(run: AuthorizedRun): Promise<Connected | undefined> {
  try {
    return await run.connect();
  } catch (error) {
    if (error instanceof ProviderError && error.code === "credential_rejected") return undefined;
    throw error;
  }
}

type Proof = { kind: "proved"; grantedRoles: string[] } | { kind: "refuted"; cause: string };

async function prove({ provider, connection }: Connected, signal: AbortSignal): Promise<Proof> {
  try {
    const access = await provider.readGrantedAccess(signal);
    if (access.directoryId !== connection.directoryId)
      return { kind: "refuted", cause: "The token was issued by another directory than this tenant's." };
    const organization = await provider.readOrganization(signal);
    if (organization.directoryId !== connection.directoryId)
      return { kind: "refuted", cause: "The organization that answers is not this tenant's directory." };
    return { kind: "proved", grantedRoles: access.roles };
  } catch (error) {
    if (error instanceof ProviderError && refutes(error)) return { kind: "refuted", cause: error.message };
    throw error;
  }
}

/** An answer that says no is a result; no answer, or one that makes no sense, is a fault and tried again. */
function refutes(error: ProviderError): boolean {
  return (
    error.code === "credential_rejected" ||
    error.code === "permission_missing" ||
    error.code === "approval_required" ||
    error.code === "rejected"
  );
}

/** What cannot be written with these permissions is the write gate's to say; many a tenant is only read. */
function skippedWords(missing: readonly MissingRole[]): string {
  const each = missing.map(({ role, types }) => `${role} (${types.join(", ")})`).join("; ");
  return `The connection works. Not granted, so that these types are skipped: ${each}.`;
}
