const words: Record<string, string> = {
  "access.refused": "Access refused",
  "backup.downloaded": "Backup downloaded",
  "connection.approval_required": "Tenant asks for an approval",
  "connection.created": "Connection created",
  "connection.credential_replaced": "Credential replaced",
  "connection.credential_resealed": "Credential sealed with another key",
  "connection.permissions_lost": "Permissions found missing",
  "connection.rejected": "Connection found not usable",
  "connection.verified": "Connection verified",
  "authority.hung_gate_ended": "Hung transaction of a worker ended",
  "job.refused": "Malformed job refused",
  "member.removed": "Member removed",
  "member.role_changed": "Role changed",
  "member.role_ended": "Role ended",
  "member.role_given": "Role given",
  "run.attempt_failed": "Attempt failed",
  "run.cancellation_requested": "Cancellation of a run requested",
  "run.cancelled": "Run cancelled",
  "run.dismissed": "Blocked runs dismissed",
  "run.blocked": "Run blocked by policy",
  "run.deferred": "Run left waiting",
  "run.effect": "Change recorded",
  "run.handed_back": "Run handed back by its worker",
  "run.let_through": "Run let through a hold",
  "run.refused": "Request refused",
  "run.started": "Run authorized and started",
  "run.worker_lost": "Worker lost",
  "schedule.changed": "Schedule changed",
  "schedule.created": "Schedule created",
  "schedule.deleted": "Schedule deleted",
  "schedule.paused": "Schedule paused",
  "schedule.resumed": "Schedule resumed",
  "schedule.taken_over": "Schedule taken over",
  "schedule.transferred": "Schedule given to a new steward",
  "session.refused": "Sign-in refused",
  "session.signed_in": "Signed in",
  "session.signed_out": "Signed out",
  "tenant.runs_let_through": "Runs let through the tenant's hold",
  "workspace.runs_let_through": "Runs let through the workspace's hold",
};

/** What was done, for people: "member.role_changed" reads "Role changed"; an unknown one is spelled out. */
export function describeAction(action: string): string {
  const known = words[action];
  if (known !== undefined) return known;
  const spelled = action.replace(/[._]/g, " ");
  return spelled.slice(0, 1).toUpperCase() + spelled.slice(1);
}
