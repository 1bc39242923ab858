import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Resolver } from "./resolver.ts";

/** Profiles that are nothing, or let anybody pose as the network, without the certificate profiles they name. */
const tiedToCertificates =
  /(scep|pkcs)certificateprofile$|enterprise(wifi|eap)configuration$|wirednetworkconfiguration$/i;

/**
 * Why a policy cannot be brought about from its backup alone: it is tied to things that are not part of it, and that a
 * backup therefore does not hold. Null when it can.
 */
export function problemOfTies(
  type: PolicyType,
  policy: JsonObject,
  isNew: boolean,
  { isElsewhere, tenantName }: Resolver,
): string | null {
  if (type === "deviceConfigurations" && isNew && isTiedToCertificates(policy))
    return `It is tied to certificates, which are not captured: make it at ${tenantName}, with its certificates, then restore it.`;
  const isUploaded = ["custom", "mixed"].includes(String(policy.policyConfigurationIngestionType));
  if (type === "groupPolicyConfigurations" && isElsewhere && isUploaded)
    return `Its template was uploaded to the other tenant: its settings mean nothing at ${tenantName}.`;
  return null;
}

function isTiedToCertificates(policy: JsonObject): boolean {
  return (
    tiedToCertificates.test(String(policy["@odata.type"])) || policy.authenticationMethod === "certificate"
  );
}
