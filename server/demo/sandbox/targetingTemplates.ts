import type { JsonObject } from "../../provider/port.ts";

/** Assignment filters: which devices of a group a policy is for. */
export const filterTemplates: readonly [FilterTemplate, ...FilterTemplate[]] = [
  {
    name: "Corporate Windows devices",
    platform: "windows10AndLater",
    rule: '(device.deviceOwnership -eq "Corporate")',
  },
  {
    name: "Windows 11 only",
    platform: "windows10AndLater",
    rule: '(device.osVersion -startsWith "10.0.22")',
  },
  { name: "Personal phones", platform: "iOS", rule: '(device.deviceOwnership -eq "Personal")' },
];

export type FilterTemplate = { name: string; platform: string; rule: string };

/** Scope tags: which administrators see a policy. */
export const tagTemplates: readonly [{ name: string }, ...{ name: string }[]] = [
  { name: "Headquarters" },
  { name: "Branches" },
  { name: "Test bench" },
];

/** Everything of a filter but its id, name and dates. */
export function filterPayload({ platform, rule }: FilterTemplate): JsonObject {
  return {
    description: "",
    platform,
    rule,
    roleScopeTags: ["0"],
    assignmentFilterManagementType: "devices",
  };
}

/** Everything of a tag but its id and name; it has no dates. */
export function tagPayload(): JsonObject {
  return { description: "", isBuiltIn: false, permissions: [] };
}
