/**
 * What a provider can do, in the product's words. `provider/graph/` does it over HTTP; nothing above this
 * file knows about Microsoft Graph's addresses or shapes. Reading and writing are apart so that a task is
 * only ever handed the half it may use.
 */

import type { PolicyType } from "./policyTypes.ts";

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Proof of who we are. It lives in memory only while a run uses it. */
export type ProviderSecret =
  | { kind: "secret"; secret: string }
  /** PEM: a PKCS #8 private key and the X.509 certificate it belongs to. */
  | { kind: "certificate"; privateKey: string; certificate: string };

/** Who we are at one tenant's directory. */
export type ProviderCredential = { directoryId: string; clientId: string; proof: ProviderSecret };

/** One policy as the provider gave it, with what belongs to it (settings, actions, definition values). */
export type ProviderPolicy = {
  id: string;
  name: string;
  odataType: string;
  payload: JsonObject;
  /** What makes it the same policy elsewhere or after it was deleted (handbook 4, "match key"). */
  matchKey: string;
  /** The payload as it would be written: without what only the provider sets, keys sorted. */
  normalised: JsonObject;
  /** JSON pointers of secrets that the provider does not give back; they can be neither kept nor restored. */
  notCaptured: string[];
  /** As the provider gave them; null when they were not asked for, or the type has none apart from itself. */
  assignments: JsonObject[] | null;
};

/** One page of a listing. `number` counts from 1; pages may be empty. */
export type PolicyPage = { number: number; policies: ProviderPolicy[] };

/** Enough of a policy to find it by. */
export type PolicyIdentity = { id: string; matchKey: string };

export type ProviderGroup = { id: string; name: string };

/** What the token endpoint and the token itself say. `roles` are the granted application permissions. */
export type GrantedAccess = { directoryId: string; roles: string[] };

/** All reject with `ProviderError`, or with the signal's reason when the caller aborts. */
export type ProviderReader = {
  /** Obtains a fresh token (never a cached one) and reads its claims. */
  readGrantedAccess(signal: AbortSignal): Promise<GrantedAccess>;
  /** The directory's own answer about who it is. */
  readOrganization(signal: AbortSignal): Promise<{ directoryId: string; displayName: string }>;
  /** Every policy of one type, page by page, each complete; with its assignments where asked for. */
  listPolicies(
    type: PolicyType,
    signal: AbortSignal,
    options?: { assignments: boolean },
  ): AsyncIterable<PolicyPage>;
  /** Every policy's identity: a listing without what belongs to the policies. */
  listIdentities(type: PolicyType, signal: AbortSignal): AsyncIterable<PolicyIdentity[]>;
  /** One policy, complete and with its assignments; null when it is not there. */
  readPolicy(type: PolicyType, id: string, signal: AbortSignal): Promise<ProviderPolicy | null>;
  /** Those of the groups that exist, by id. At most a few hundred ids. */
  findGroupsById(ids: readonly string[], signal: AbortSignal): Promise<ProviderGroup[]>;
  /** All groups that have one of the names; a name may be that of several. */
  findGroupsByName(names: readonly string[], signal: AbortSignal): Promise<ProviderGroup[]>;
};

/**
 * One writing call, as data: exactly one request. `create` answers with the new object's id; all others need
 * `id`. `actions`: a compliance policy's scheduled actions; `definitions`: the values of an administrative
 * template; `assign` replaces the whole set of assignments. The body holds no property the provider sets.
 */
export type PolicyWrite = {
  action: "create" | "update" | "actions" | "definitions" | "assign" | "delete";
  type: PolicyType;
  id: string | null;
  body: JsonObject;
};

export type ProviderWriter = {
  /**
   * Sends once, never again by itself: whether another try may be made is the gate's to say. Resolves with
   * the object's id; rejects with `ProviderError`, whose `mayHaveHappened` says whether the write could have
   * been done all the same (also when its time is up: the signal's reason is not what it rejects with then).
   * `idempotencyKey` travels as the client's request id.
   */
  write(write: PolicyWrite, idempotencyKey: string, time: CallTime): Promise<{ id: string }>;
};

/**
 * Until when a call may be on the wire. `signal` cuts it off then; `isUp` is asked right before it is sent,
 * because a signal fires no earlier than the event loop gets to its timer, however long that was kept busy.
 */
export type CallTime = { signal: AbortSignal; isUp(): boolean };

/** What is known about the types without asking anybody. Pure. */
export type PolicyModel = {
  matchKeyOf(type: PolicyType, payload: JsonObject): string;
  normalise(type: PolicyType, payload: JsonObject): JsonObject;
  /**
   * The calls that bring about `desired` (a normalised form), in order: from nothing, or from the object `of`
   * in its present normalised form. Without assignments when `assignments` is null.
   */
  planWrites(
    type: PolicyType,
    desired: JsonObject,
    assignments: JsonObject[] | null,
    of: { id: string; present: ProviderPolicy } | null,
  ): PolicyWrite[];
};

export type Provider = {
  model: PolicyModel;
  /** No request is made until the reader is used. */
  openReader(credential: ProviderCredential): ProviderReader;
  openWriter(credential: ProviderCredential): ProviderWriter;
};

/**
 * Why a provider call did not give what was asked. `credential_rejected`: the identity provider or the
 * directory refuses these credentials (an authority fact); `permission_missing`: a role is lacking;
 * `approval_required`: the tenant asks for a second person or its conditional access refuses us;
 * `rejected`: another 4xx on one item; `unavailable`: throttled, 5xx, network or time-out after retries;
 * `malformed_answer`: what came back is not what the contract says.
 */
export type ProviderErrorCode =
  | "credential_rejected"
  | "permission_missing"
  | "approval_required"
  | "rejected"
  | "unavailable"
  | "malformed_answer";

/** Safe to store and show: never carries a token, a secret or a body. `requestId` is for the provider's support. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: ProviderErrorCode;
  /** The provider's own short code, e.g. `AADSTS7000215` or `Forbidden`. */
  readonly detail: string | null;
  readonly requestId: string | null;
  /** For a write: it was sent and may have been done although no good answer came. */
  readonly mayHaveHappened: boolean;
  /** For a write: milliseconds after which the provider asks to be tried again, capped; null when it did not say. */
  readonly retryAfterMs: number | null;
  constructor(
    code: ProviderErrorCode,
    message: string,
    from: {
      detail?: string | null;
      requestId?: string | null;
      cause?: unknown;
      mayHaveHappened?: boolean;
      retryAfterMs?: number | null;
    } = {},
  ) {
    super(message, from.cause === undefined ? undefined : { cause: from.cause });
    this.code = code;
    this.detail = from.detail ?? null;
    this.requestId = from.requestId ?? null;
    this.mayHaveHappened = from.mayHaveHappened ?? false;
    this.retryAfterMs = from.retryAfterMs ?? null;
  }
}

/**
 * Whether the provider refuses to show what was asked for, as far as that is about this kind of thing alone: for want
 * of a permission, or because the tenant has no such service. Asking again would not help; asking for others may.
 */
export function isRefusalToShow(error: unknown): error is ProviderError {
  return error instanceof ProviderError && (error.code === "permission_missing" || error.code === "rejected");
}
