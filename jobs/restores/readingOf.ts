import { digestOfAssignments } from "../../server/domain/backups/assignment.ts";
import { digestOfJson } from "../../server/domain/digest.ts";
import type { Written } from "../../server/domain/restores/readBackItem.ts";
import type { PolicyWrite, ProviderPolicy } from "../../server/provider/port.ts";

/** What an item is to become, and its object as it was before; null where there was none. */
export type WrittenItem = { written: Written; present: ProviderPolicy | null };

/** What a call's object reads like without it and with it, where that can be told. */
export function readingOf(
  { written, present }: WrittenItem,
  calls: readonly PolicyWrite[],
  write: PolicyWrite,
): { before: string | null; after: string | null } {
  if (write.action === "create") return { before: null, after: null };
  if (write.action === "assign")
    return {
      before: digestOfAssignments(present?.assignments ?? []),
      after: digestOfAssignments(written.assignments),
    };
  const whole = calls.findLast(({ action }) => action !== "assign");
  return {
    before: present !== null && write === calls[0] ? digestOfJson(present.normalised) : null,
    // Only after the last of them does the object read as it should.
    after: write === whole ? digestOfJson(written.desired) : null,
  };
}
