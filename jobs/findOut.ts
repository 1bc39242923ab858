import type { Intent, SettledWrite } from "../server/domain/operations/intent.ts";
import { readBack } from "../server/domain/operations/readBack.ts";
import { ProviderError, type ProviderReader } from "../server/provider/port.ts";

/** How long (milliseconds) finding out about one call may take. */
const askWithin = 15_000;

/** `wasRead`: what the provider shows was seen, whatever it says of the call. */
export type FoundOut = { truth: SettledWrite; wasRead: boolean };

/**
 * What became of a call whose answer nobody heard, by what the provider shows. Only reads; what cannot be found out
 * is `unknown`, and never an error. `open` says where to ask.
 */
export async function findOut(
  open: () => Promise<ProviderReader>,
  intent: Intent,
  stopping?: AbortSignal,
): Promise<FoundOut> {
  const within = AbortSignal.timeout(askWithin);
  const signal = AbortSignal.any([within, ...(stopping ? [stopping] : [])]);
  try {
    return { truth: await readBack(await open(), intent, signal), wasRead: true };
  } catch (error) {
    const why = error instanceof ProviderError ? error.message : "no answer in time";
    const reason = `Whether it was carried out is not known: ${why}.`;
    return { truth: { state: "unknown", id: intent.id, reason }, wasRead: false };
  }
}
