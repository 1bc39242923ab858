import type { JsonObject } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal, refused } from "../answers.ts";
import type { Directory } from "../directories.ts";
import type { Group } from "../groups.ts";
import { makeSeededRandom } from "../seededRandom.ts";
import type { GraphCall } from "./call.ts";
import { pageOf } from "./paging.ts";

export function readOrganization({ directory }: GraphCall): Answer {
  return answered(200, { value: [{ id: directory.directoryId, displayName: directory.displayName }] });
}

/** All groups, or those that `$filter` names: `displayName eq '…'` and `id eq '…'`, joined by `or`, or `in`. */
export function listGroups({ directory, address }: GraphCall): Answer | Refusal {
  const groups = [...directory.groups.values()];
  const filter = address.searchParams.get("$filter");
  if (filter === null) return pageOf(address, groups, shownGroup);
  const wanted = readFilter(filter);
  if (wanted === undefined)
    return refused("graph", 400, "Request_UnsupportedQuery", "The filter clause is not supported.");
  const matching = groups.filter((group) =>
    wanted.some(({ key, value }) => group[key].toLowerCase() === value.toLowerCase()),
  );
  return pageOf(address, matching, shownGroup);
}

export function readGroup({ directory }: GraphCall, id: string): Answer | Refusal {
  const group = directory.groups.get(id);
  const message = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`;
  return group === undefined
    ? refused("graph", 404, "Request_ResourceNotFound", message)
    : answered(200, shownGroup(group));
}

/** A few devices, the same for the same directory. */
export function listDevices({ directory, address }: GraphCall): Answer | Refusal {
  return pageOf(address, devicesOf(directory), (device) => device);
}

function shownGroup({ id, displayName }: Group): JsonObject {
  return { id, displayName, groupTypes: [], mailEnabled: false, securityEnabled: true };
}

type Comparison = { key: keyof Group; value: string };

function readFilter(filter: string): Comparison[] | undefined {
  const among = /^(id|displayName) in \((.+)\)$/.exec(filter);
  if (among !== null)
    return [...(among[2] ?? "").matchAll(/'((?:[^']|'')*)'/g)].map(([, value = ""]) =>
      comparison(among[1], value),
    );
  const compared = filter
    .split(/ or (?=(?:id|displayName) eq ')/)
    .map((part) => /^(id|displayName) eq '((?:[^']|'')*)'$/.exec(part));
  if (compared.some((match) => match === null)) return undefined;
  return compared.map((match) => comparison(match?.[1], match?.[2] ?? ""));
}

function comparison(key: string | undefined, quoted: string): Comparison {
  return { key: key === "id" ? "id" : "displayName", value: quoted.replaceAll("''", "'") };
}

function devicesOf({ directoryId }: Directory): JsonObject[] {
  const random = makeSeededRandom(`${directoryId}/devices`);
  return Array.from({ length: 12 }, (_, index) => ({
    id: random.uuid(),
    deviceName: `DEVICE-${String(index + 1).padStart(3, "0")}`,
    operatingSystem: random.pick(["Windows", "Windows", "iOS", "macOS"]),
    complianceState: random.pick(["compliant", "compliant", "noncompliant"]),
    managedDeviceOwnerType: "company",
  }));
}
