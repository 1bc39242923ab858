import { ProviderError } from "./port.ts";

/**
 * Whether the provider refuses to show what was asked for, as far as that is about this kind of thing alone: for want
 * of a permission, or because the tenant has no such service. Asking again would not help; asking for others may.
 */
export function isRefusalToShow(error: unknown): error is ProviderError {
  return error instanceof ProviderError && (error.code === "permission_missing" || error.code === "rejected");
}
