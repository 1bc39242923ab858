import type { Tx } from "../../db/database.ts";
import type { Actor } from "../audit/recordAudit.ts";
import type { Capability } from "../authority/capabilities.ts";
import { inWorkspace, isEntitled, loadViewer, may, type Viewer } from "../authority/viewer.ts";
import { Forbidden, NotFound } from "../errors.ts";
import type { AuthoritySubject } from "../revocation/changeAuthority.ts";

/** What a person's right to act rests on; held shared, so that taking it away waits for them or beats them. */
export function authorityOf(actor: Actor, workspaceId: string): AuthoritySubject[] {
  return [
    { kind: "user", id: actor.id },
    { kind: "workspace", id: workspaceId },
  ];
}

/**
 * The actor as they stand now, in the workspace. Only after the locks of `authorityOf` are held does the
 * answer last until commit: an admin who has just lost their rights changes nobody else's. Throws `NotFound`
 * for a stranger to the workspace or the tenant, `Forbidden` for whoever lacks the capability there.
 */
export async function actAs(
  tx: Tx,
  actor: Actor,
  at: { workspaceId: string; tenantId: string | null },
  capability: Capability,
): Promise<Viewer> {
  const viewer = await loadViewer(tx, actor.id, at.workspaceId);
  const acting = viewer === undefined ? undefined : inWorkspace(viewer, at.workspaceId);
  if (acting === undefined) throw new NotFound();
  if (at.tenantId !== null && !isEntitled(acting, at.tenantId)) throw new NotFound();
  if (!may(acting, capability, at.tenantId)) throw new Forbidden(capability);
  return acting;
}
