import type { Stopped } from "./countStopped.ts";
import { counted } from "./runWords.ts";

/** "7 queued runs and 1 running one in 2 tenants"; null when a change stops nothing. */
function stoppedWords({ queued, running, tenants, more }: Stopped): string | null {
  const parts = [
    ...(queued > 0 ? [counted(queued, "queued run", "queued runs")] : []),
    ...(running > 0 ? [counted(running, "running one", "running ones")] : []),
  ];
  if (parts.length === 0) return null;
  const what = queued > 0 ? parts.join(" and ") : counted(running, "running run", "running runs");
  const where = tenants === 0 ? "" : ` in ${counted(tenants, "tenant", "tenants")}`;
  return `${more ? "at least " : ""}${what}${where}`;
}

/** What a change is about to stop, as a sentence; `doing` begins it: "Removing Omar Haddad". */
export function willStop(doing: string, stopped: Stopped): string {
  const words = stoppedWords(stopped);
  if (words !== null) return `${doing} will block ${words}.`;
  return stopped.more
    ? `${doing} blocks none of the 1,000 oldest open runs; younger ones were not looked at.`
    : `${doing} blocks no run that is waiting or running.`;
}

/** What a change has stopped, as a sentence for the notice after it. */
export function hasStopped(stopped: Stopped): string {
  const words = stoppedWords(stopped);
  if (words === null) return "No run was stopped by it.";
  return `It blocks ${words}: what waits is stopped when it begins, what runs before its next change.`;
}
