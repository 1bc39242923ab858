import type { AuditEvent } from "./recordAudit.ts";

/** Each workspace of a person has its own trail; without any, the entry is the installation's. */
export function inEach(workspaceIds: readonly string[], event: AuditEvent): AuditEvent[] {
  if (workspaceIds.length === 0) return [event];
  return workspaceIds.map((workspaceId) => ({ ...event, workspaceId }));
}
