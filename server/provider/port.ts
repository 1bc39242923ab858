/**
 * What a provider can do, in the product's words. `provider/graph/` does it over HTTP; nothing above this
 * file knows about Microsoft Graph's addresses or shapes. Reading and writing are apart so that a task is
 * only ever handed the half it may use.
 */

export const policyTypes = [
  "deviceConfigurations",
  "deviceCompliancePolicies",
  "configurationPolicies",
] as const;

export type PolicyType = (typeof policyTypes)[number];

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** Who we are at one tenant's directory. The secret lives in memory only while a run uses it. */
export type ProviderCredential = {
  directoryId: string;
  clientId: string;
  clientSecret: string;
};

/** One policy as the provider gave it; `odataType` is part of its identity. */
export type ProviderPolicy = { id: string; name: string; odataType: string; payload: JsonObject };

/** One page of a listing. `number` counts from 1; pages may be empty. */
export type PolicyPage = { number: number; policies: ProviderPolicy[] };

/** What the token endpoint and the token itself say. `roles` are the granted application permissions. */
export type GrantedAccess = { directoryId: string; roles: string[] };

export type ProviderReader = {
  /** Obtains a fresh token (never a cached one) and reads its claims. */
  readGrantedAccess(signal: AbortSignal): Promise<GrantedAccess>;
  /** The directory's own answer about who it is. */
  readOrganization(signal: AbortSignal): Promise<{ directoryId: string; displayName: string }>;
  /** Every policy of one type, page by page, each complete with what belongs to it (settings, actions). */
  listPolicies(type: PolicyType, signal: AbortSignal): AsyncIterable<PolicyPage>;
};

export type Provider = {
  /** No request is made until the reader is used. */
  openReader(credential: ProviderCredential): ProviderReader;
};

/** The permission that reading one policy type needs (and those verification asks for). */
export const readRoleOf = {
  deviceConfigurations: "DeviceManagementConfiguration.Read.All",
  deviceCompliancePolicies: "DeviceManagementConfiguration.Read.All",
  configurationPolicies: "DeviceManagementConfiguration.Read.All",
} as const satisfies Record<PolicyType, string>;

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
  constructor(
    code: ProviderErrorCode,
    message: string,
    from: { detail?: string | null; requestId?: string | null; cause?: unknown } = {},
  ) {
    super(message, from.cause === undefined ? undefined : { cause: from.cause });
    this.code = code;
    this.detail = from.detail ?? null;
    this.requestId = from.requestId ?? null;
  }
}
