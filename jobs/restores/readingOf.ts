import { digestRead } from "../../server/domain/operations/readBack.ts";
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
  const { action } = write;
  if (action === "create") return { before: null, after: null };
  const without = { normalised: present?.normalised ?? {}, assignments: present?.assignments ?? [] };
  const before = digestRead(action, without);
  const after = digestRead(action, { normalised: written.desired, assignments: written.assignments });
  // No other call shows in what these write.
  if (action === "assign" || action === "definitions") return { before, after };
  const whole = calls.findLast((call) => call.action !== "assign");
  return {
    before: present !== null && write === calls[0] ? before : null,
    // Only after the last of them does the object read as it should.
    after: write === whole ? after : null,
  };
}
