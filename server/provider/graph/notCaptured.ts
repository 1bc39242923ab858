import type { JsonObject, JsonValue } from "../port.ts";
import { isJsonObject } from "./json.ts";

// Written by an admin and never read back: Graph gives null, nothing or asterisks in their place.
const secretKeys = new Set([
  "password",
  "passphrase",
  "preSharedKey",
  "sharedSecret",
  "proxyPassword",
  "certificatePassword",
  "pfxBlobPassword",
  "autoUpdatePassword",
]);
// With these the key is of use; with any other kind of network there is none to lose.
const keyedNetworks = /^(wep|wpa\w*Personal)$/;

/** JSON pointers (RFC 6901) of the secrets that a payload should have and the provider keeps to itself. */
export function notCaptured(payload: JsonObject): string[] {
  return pointersIn(payload, "");
}

function pointersIn(value: JsonValue, pointer: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => pointersIn(item, `${pointer}/${index}`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return isWithheld(key, inner, value) ? [here] : pointersIn(inner, here);
  });
}

function isWithheld(key: string, value: JsonValue, holder: JsonObject): boolean {
  // A custom setting that holds a secret, and a secret of the settings catalog: both give a stand-in.
  if (key === "value" && holder.isEncrypted === true) return true;
  if (key === "value" && typeof holder.secretReferenceValueId === "string") return true;
  if (key === "value" && holder.valueState === "encryptedValueToken") return true;
  if (!secretKeys.has(key)) return false;
  if (typeof value === "string" && /^\*+$/.test(value)) return true;
  if (value !== null && value !== "") return false;
  return holder[`${key}IsSet`] === true || needsKey(key, holder);
}

function needsKey(key: string, holder: JsonObject): boolean {
  if (key !== "preSharedKey") return false;
  const kind = holder.wiFiSecurityType ?? holder.wifiSecurityType;
  return typeof kind === "string" && keyedNetworks.test(kind);
}
