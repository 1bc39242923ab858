import { isDeepStrictEqual } from "node:util";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject, JsonValue, ProviderPolicy } from "../../provider/port.ts";
import { isObject } from "../backups/assignment.ts";
import type { Step } from "./resolver.ts";

type Present = Pick<ProviderPolicy, "normalised" | "notCaptured">;

/** A secret that the provider keeps to itself, in a policy that is to be written: what it reads like there. */
type Withheld = { pointer: string; steps: string[]; value: JsonValue | undefined };

/** Written as a whole, in which a stand-in that is given back leaves the secret behind it as it is. */
const takesStandIns: readonly PolicyType[] = ["configurationPolicies"];

/**
 * What becomes of secrets that are in no backup (their JSON pointers are `notCaptured`). One that the object
 * has at present stays as it is. Otherwise it will be empty; but where the provider gives a stand-in, writing
 * that would make the stand-in the secret, so the item is refused. `present` is null for a new object.
 */
export function settleSecrets(
  type: PolicyType,
  desired: JsonObject,
  notCaptured: readonly string[],
  present: Present | null,
): Step<JsonObject> {
  const notes: string[] = [];
  let value = desired;
  for (const pointer of notCaptured) {
    const steps = stepsOf(pointer);
    const secret = { pointer, steps, value: valueAt(value, steps) };
    const settled =
      present !== null && isHeld(secret, value, present) ? settleHeld(secret, present) : settleNew(secret);
    if ("refused" in settled) return settled;
    notes.push(...settled.notes);
    if (settled.value !== undefined) value = withValue(value, steps, settled.value);
  }
  const lost = present === null ? undefined : findLost(type, value, notCaptured, present);
  if (lost !== undefined)
    return { refused: `${named(lost)} is not captured, and restoring what is around it would lose it.` };
  return { value, notes };
}

/** In a policy as it is written, the same place with a value of its own. */
type Settled = Step<JsonValue | undefined>;

function settleNew(secret: Withheld): Settled {
  const willBeEmpty = { value: undefined, notes: [`${named(secret)} is not captured and will be empty.`] };
  if (isEmpty(secret.value)) return willBeEmpty;
  if (!secret.pointer.endsWith("/value")) return { ...willBeEmpty, value: null };
  return { refused: `${named(secret)} is not captured, and the policy cannot be written without it.` };
}

function settleHeld({ pointer, steps }: Withheld, present: Present): Settled {
  const value = valueAt(present.normalised, steps) ?? undefined;
  return { value, notes: [`${named({ pointer })} is not captured and stays as it is.`] };
}

/** The object has a secret in the same place. */
function isHeld({ pointer, steps }: Withheld, desired: JsonObject, present: Present): boolean {
  return present.notCaptured.includes(pointer) && isSamePlace(desired, present.normalised, steps);
}

/** A secret inside a property that would be written as a whole because something else in it differs. */
function findLost(
  type: PolicyType,
  desired: JsonObject,
  notCaptured: readonly string[],
  present: Present,
): { pointer: string } | undefined {
  if (takesStandIns.includes(type)) return undefined;
  const pointer = notCaptured.find((candidate) => {
    const [top = "", ...inner] = stepsOf(candidate);
    const isInside = inner.length > 0 && present.notCaptured.includes(candidate);
    return isInside && !isDeepStrictEqual(desired[top], present.normalised[top]);
  });
  return pointer === undefined ? undefined : { pointer };
}

/** What holds the secret is otherwise the same on both sides. */
function isSamePlace(desired: JsonObject, present: JsonObject, steps: readonly string[]): boolean {
  if (steps.length === 1) return true;
  const holders = [desired, present].map((policy) => valueAt(policy, steps.slice(0, -1)));
  const [a, b] = holders.map((holder) => (isObject(holder) ? without(holder, steps.at(-1) ?? "") : null));
  return a !== null && isDeepStrictEqual(a, b);
}

function named({ pointer }: Pick<Withheld, "pointer">): string {
  return `The secret at ${pathOfPointer(pointer)}`;
}

/** `/a/0/b` as people read it: `a[0].b`. */
export function pathOfPointer(pointer: string): string {
  return stepsOf(pointer)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function isEmpty(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === "";
}

function valueAt(value: JsonValue, steps: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined = value;
  for (const step of steps) {
    if (Array.isArray(found)) found = found[Number(step)];
    else found = isObject(found) ? found[step] : undefined;
  }
  return found;
}

function withValue<T extends JsonValue>(holder: T, steps: readonly string[], value: JsonValue): T;
function withValue(holder: JsonValue, [step, ...rest]: readonly string[], value: JsonValue): JsonValue {
  if (step === undefined) return value;
  if (Array.isArray(holder))
    return holder.map((item, index) => (index === Number(step) ? withValue(item, rest, value) : item));
  if (!isObject(holder)) return holder;
  return { ...holder, [step]: withValue(holder[step] ?? null, rest, value) };
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _left, ...rest } = object;
  return rest;
}
