import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { StoredPolicy } from "../directories.ts";
import { resources } from "./resources.ts";

/** Every write shows in the version and in the time of the last change, however soon it follows another. */
export function touch(type: PolicyType, policy: StoredPolicy): void {
  const { modifiedKey, hasVersion } = resources[type];
  const { payload } = policy;
  if (modifiedKey !== null) {
    const before = Date.parse(String(payload[modifiedKey]));
    const at = Number.isNaN(before) ? Date.now() : Math.max(Date.now(), before + 1);
    payload[modifiedKey] = new Date(at).toISOString();
  }
  if (hasVersion) payload.version = (typeof payload.version === "number" ? payload.version : 0) + 1;
}
