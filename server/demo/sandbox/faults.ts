import { z } from "zod";

const when = {
  on: z.enum(["token", "graph"]).default("graph"),
  /** Only requests of this method. */
  method: z.enum(["GET", "POST", "PATCH", "PUT", "DELETE"]).optional(),
  /** Only requests whose path and query contain this text. */
  path: z.string().optional(),
  /** It strikes once what was asked has been done, before the answer; else before anything is done. */
  after: z.boolean().default(false),
  /** How many matching requests go unharmed first. */
  skip: z.int().min(0).default(0),
  /** How many requests it hits; without it, until the faults are cleared. */
  times: z.int().min(1).optional(),
};

const garbageKinds = [
  "html",
  "bad_json",
  "wrong_shape",
  "error_in_200",
  "stalled_body",
  "endless_body",
] as const;
const graphKinds = [
  "approval_required",
  "unauthorized",
  "token_quoted",
  "foreign_next_link",
  "looping_next_link",
  "endless_next_links",
  "empty_page",
  "crowded_page",
] as const;

/**
 * What can go wrong at one directory. `hold` keeps requests waiting until the faults are set anew or cleared;
 * `latency` only delays them; the others answer in the place of the real answer.
 */
export const fault = z.union([
  z.object({ kind: z.enum(garbageKinds), ...when }),
  z.object({ kind: z.literal("disconnect"), ...when }),
  z.object({ kind: z.literal("hold"), ...when }),
  z.object({ kind: z.enum(graphKinds), ...when, on: z.literal("graph").default("graph") }),
  z.object({ kind: z.literal("latency"), ms: z.int().min(0), ...when }),
  /** Any status with an error body of this `message`; `retryAfter` is the header's text: seconds or an HTTP date. */
  z.object({
    kind: z.literal("status"),
    status: z.int().min(300).max(599),
    retryAfter: z.string().optional(),
    message: z.string().default("Refused on purpose."),
    ...when,
  }),
  /** The identity provider refuses with this AADSTS code. */
  z.object({ kind: z.literal("aadsts"), code: z.int(), ...when, on: z.literal("token").default("token") }),
  /** A token without claims, or one of another directory. */
  z.object({ kind: z.literal("opaque_token"), ...when, on: z.literal("token").default("token") }),
  z.object({
    kind: z.literal("foreign_tid"),
    tid: z.string(),
    ...when,
    on: z.literal("token").default("token"),
  }),
]);

export type GraphFault = (typeof graphKinds)[number];
export type Garbage = (typeof garbageKinds)[number];
export type Fault = z.infer<typeof fault>;
/** A fault as callers write it: what has a default may be left out. */
export type FaultInput = z.input<typeof fault>;
