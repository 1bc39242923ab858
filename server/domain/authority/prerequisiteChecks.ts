import { isGranted } from "../../provider/policyTypes.ts";
import { type Check, failed, hasFailed, notApplicable, passed } from "./check.ts";
import type { ConnectionFact, Facts } from "./facts.ts";

/** A preview may be carried out for this long (milliseconds) after it was made (handbook 4, "Restore"). */
export const previewMaxAge = 3_600_000;

/** A credential with less life left than this (milliseconds) is not begun with: it could end within the run. */
export const credentialReserve = 3_600_000;

/** Verified recently, with the present credential, which does not run out, and with the permissions to write. */
export function checkWriteGate(facts: Facts, premises: Check[]): Check {
  if (!facts.contract.prerequisites.includes("write_gate"))
    return notApplicable("the operation writes nothing at the provider");
  const { connection, now } = facts;
  if (connection === null || premises.some(hasFailed))
    return notApplicable("not asked: an earlier check failed");
  if (connection.verifiedVersion !== connection.credentialVersion)
    return failed("write_gate_blocked", "the credential changed since it was verified");
  const until = endOfVerification(facts, connection);
  if (until === null || until <= now) return failed("write_gate_blocked", "the last verification is too old");
  const life = (connection.credentialExpiresAt?.getTime() ?? Number.POSITIVE_INFINITY) - now.getTime();
  if (life <= 0) return failed("write_gate_blocked", "the credential has expired");
  if (facts.phase !== "checkpoint" && life < credentialReserve)
    return failed("write_gate_blocked", "the credential expires within the hour");
  const missing = facts.writeRoles.filter((role) => !isGranted(role, connection.grantedRoles));
  if (missing.length > 0) return failed("write_gate_blocked", `${missing.join(", ")} is not granted`);
  return passed("open");
}

/** Until when the last verification opens the write gate; null when there was none. */
export function endOfVerification(
  { writeGateMaxAgeHours }: Pick<Facts, "writeGateMaxAgeHours">,
  { verifiedAt }: Pick<ConnectionFact, "verifiedAt">,
): Date | null {
  return verifiedAt === null ? null : new Date(verifiedAt.getTime() + writeGateMaxAgeHours * 3_600_000);
}

export function checkPrerequisites(facts: Facts): Check {
  const problem =
    expiryProblem(facts) ??
    sourceProblem(facts) ??
    planProblem(facts) ??
    selectionProblem(facts) ??
    approvalProblem(facts);
  if (problem !== null) return failed("execution_prerequisite_invalid", problem);
  return passed("the request is in time");
}

/** "Do not start after": what has begun in time may go on to its end. */
function expiryProblem(facts: Facts): string | null {
  const isLate = facts.phase !== "checkpoint" && facts.now >= facts.requestExpiresAt;
  return isLate ? "the request expired before it could begin" : null;
}

function sourceProblem({ contract, source }: Facts): string | null {
  if (!contract.prerequisites.includes("source_exists") || source !== null) return null;
  return "the backup it would take from no longer exists";
}

function planProblem({ contract, plan, phase, hasBegun, now }: Facts): string | null {
  if (!contract.prerequisites.includes("preview_fresh")) return null;
  if (plan === null) return "its preview no longer exists";
  if (!plan.matches) return "its preview is not the one that was confirmed";
  if (plan.isTaken) return "its preview was carried out by another run";
  if (plan.staleReason !== null) return plan.staleReason;
  const isOld = now.getTime() - plan.completedAt.getTime() >= previewMaxAge;
  const isBeginning = phase !== "checkpoint" && !hasBegun;
  return isOld && isBeginning ? "its preview is more than an hour old" : null;
}

function selectionProblem({ contract, selection }: Facts): string | null {
  if (!contract.prerequisites.includes("selection_unchanged")) return null;
  if (selection === null) return "what was selected is no longer known";
  if (!selection.matches) return "its selection is not the one that was confirmed";
  if (selection.isTaken) return "its selection was worked on by another run";
  return selection.staleReason;
}

function approvalProblem({ contract, connection }: Facts): string | null {
  return contract.prerequisites.includes("write_gate") ? (connection?.approvalRequired ?? null) : null;
}
