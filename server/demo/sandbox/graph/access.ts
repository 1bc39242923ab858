import { isGranted, type PolicyType, rolesOf } from "../../../provider/policyTypes.ts";
import { type ErrorForm, type Refusal, refused } from "../answers.ts";
import { resources } from "./resources.ts";

/** Refused, in the type's own words, unless every permission that reading or writing it needs was granted. */
export function refuseUnlessGranted(
  type: PolicyType,
  isRead: boolean,
  granted: readonly string[],
): Refusal | null {
  const needed = isRead ? rolesOf[type].read : rolesOf[type].write;
  if (needed.every((role) => isGranted(role, granted))) return null;
  return resources[type].form === "intune"
    ? refused("intune", 403, "Forbidden", intuneMessage(needed))
    : refused(
        "graph",
        403,
        "AccessDenied",
        "You cannot perform the requested operation, required scopes are missing in the token.",
      );
}

/** Any one of the permissions is enough. */
export function refuseUnlessAnyGranted(
  form: ErrorForm,
  roles: readonly string[],
  granted: readonly string[],
): Refusal | null {
  if (roles.some((role) => granted.includes(role))) return null;
  return form === "intune"
    ? refused("intune", 403, "Forbidden", intuneMessage(roles))
    : refused(
        "graph",
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
      );
}

function intuneMessage(needed: readonly string[]): string {
  return `Application is not authorized to perform this operation. Application must have one of the following scopes: ${needed.join(", ")}`;
}
