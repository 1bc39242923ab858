import type { JsonValue } from "../../server/provider/port.ts";

/** Handbook 4, "Strip before writing": never part of what is written about an object. */
const readOnly = [
  "id",
  "createdDateTime",
  "lastModifiedDateTime",
  "modifiedDateTime",
  "version",
  "supportsScopeTags",
  "isAssigned",
  "assignments",
  "settingCount",
  "creationSource",
];

/** What a body holds that only the provider sets, as paths; `action` is the last part of the address, if it is one. */
export function readOnlyIn(
  body: JsonValue,
  written: { isPolicy: boolean; isConditionalAccess: boolean },
): string[] {
  const found = [...walk(body, "")];
  const wrong = found.filter(({ path, key, holder, value }) => {
    const isTop = path === key;
    if (key.startsWith("#")) return true;
    if (key.includes("@odata.") && key !== "@odata.type" && !key.endsWith("@odata.bind")) return true;
    if (key === "createdDateTime" || key === "lastModifiedDateTime") return true;
    if (isTop && written.isPolicy && readOnly.includes(key)) return true;
    if (!written.isConditionalAccess) return false;
    return key === "templateId" || value === null || (holder === "authenticationStrength" && key !== "id");
  });
  return wrong.map(({ path }) => path);
}

type Found = { path: string; key: string; holder: string; value: JsonValue };

function* walk(value: JsonValue, path: string, holder = ""): Generator<Found> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* walk(item, `${path}[${index}]`, holder);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const here = path === "" ? key : `${path}.${key}`;
    yield { path: here, key, holder, value: inner };
    yield* walk(inner, here, key);
  }
}
