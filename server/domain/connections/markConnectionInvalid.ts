import type { Db } from "../../db/database.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import { recordRejection } from "./recordVerification.ts";

/**
 * Marks a connection `invalid` because the provider refused its credential while a run used it. An authority
 * change of its own, outside any effect: every run that relies on the connection is denied from its next gate
 * on (handbook 4, "Errors"). `credentialVersion` is the one that was refused; null when none was stored.
 */
export async function markConnectionInvalid(
  db: Db,
  rejected: { connectionId: string; credentialVersion: number | null; cause: string; runId: string },
): Promise<void> {
  await changeAuthority(db, [{ kind: "connection", id: rejected.connectionId }], (tx) =>
    recordRejection(tx, rejected),
  );
}
