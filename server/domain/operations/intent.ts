import { z } from "zod";
import { policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";

const actions = ["create", "update", "actions", "definitions", "assign", "delete"] as const;

const intentShape = z.object({
  action: z.enum(actions),
  type: z.enum(policyTypes),
  id: z.string().nullable(),
  matchKey: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  item: z.record(z.string(), z.json()),
});

/**
 * What a writing call will do, kept without its body: enough to find out later whether it was done. `id`: the
 * object's, null for one to be created. `before` and `after`: digests of what the object (for `assign` its
 * assignments, for `definitions` its settings) reads like without the call and with it, null when that cannot be
 * told. `item`: the operation's own note of what it is for.
 */
export type Intent = Omit<z.infer<typeof intentShape>, "item"> & { item: JsonObject };

export function parseIntent(stored: unknown): Intent {
  return intentShape.parse(stored);
}

/**
 * Whether the call may be made twice without harm: where it says how something shall be. What makes something new or
 * takes it away, as an administrative template's settings do one by one, makes a second one or is refused.
 */
export function isRepeatable({ action }: Intent): boolean {
  return action === "update" || action === "actions" || action === "assign";
}

/** How a writing call ended. `unknown`: it was sent, and whether it was done could not be found out. */
export type SettledWrite = {
  state: "done" | "failed" | "unknown";
  /** The object's id, where there is one. */
  id: string | null;
  /** In words for people, sanitized; null when it was done. */
  reason: string | null;
};

/** One effect, named as it is stored: settling names the very intent, since a failed one may be intended again. */
export type IntentKey = { runId: string; key: string; idempotencyKey: string };
