import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject, PolicyModel, ProviderPolicy } from "../../provider/port.ts";

/** The policy with another payload, and what is derived from a payload derived from that one. */
export function withPayload(
  model: PolicyModel,
  type: PolicyType,
  policy: ProviderPolicy,
  payload: JsonObject,
): ProviderPolicy {
  return {
    ...policy,
    payload,
    matchKey: model.matchKeyOf(type, payload),
    normalised: model.normalise(type, payload),
  };
}
