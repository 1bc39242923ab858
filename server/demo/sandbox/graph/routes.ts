import { type Answer, type ErrorForm, type Refusal, refused } from "../answers.ts";
import { shownDefinition, shownPresentation } from "../definitionCatalogue.ts";
import { refuseUnlessAnyGranted } from "./access.ts";
import type { GraphCall } from "./call.ts";
import { listDevices, listGroups, readGroup, readOrganization } from "./directoryReading.ts";
import { pageOf } from "./paging.ts";
import { answerPolicyCall } from "./policyRoutes.ts";
import { findResource } from "./resources.ts";

type ReadingRoute = {
  path: RegExp;
  form: ErrorForm;
  /** Any of these permissions lets it be read. */
  roles: readonly string[];
  answer: (call: GraphCall, id: string) => Answer | Refusal;
};

const directoryRole = "Directory.Read.All";
const configurationRoles = [
  "DeviceManagementConfiguration.Read.All",
  "DeviceManagementConfiguration.ReadWrite.All",
];
const groupRoles = ["Group.Read.All", "Group.ReadWrite.All", directoryRole];

/** What can only be read. Policies have a table of their own. */
const readingRoutes: readonly ReadingRoute[] = [
  {
    path: /^\/v1\.0\/organization$/,
    form: "graph",
    roles: ["Organization.Read.All", "Organization.ReadWrite.All", directoryRole],
    answer: readOrganization,
  },
  { path: /^\/v1\.0\/groups$/, form: "graph", roles: groupRoles, answer: listGroups },
  { path: /^\/v1\.0\/groups\/([^/]+)$/, form: "graph", roles: groupRoles, answer: readGroup },
  {
    path: /^\/v1\.0\/deviceManagement\/managedDevices$/,
    form: "intune",
    roles: ["DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"],
    answer: listDevices,
  },
  {
    path: /^\/beta\/deviceManagement\/groupPolicyDefinitions$/,
    form: "intune",
    roles: configurationRoles,
    answer: ({ address, definitions }) => pageOf(address, definitions.list(), shownDefinition),
  },
  {
    path: /^\/beta\/deviceManagement\/groupPolicyDefinitions\/([^/]+)\/presentations$/,
    form: "intune",
    roles: configurationRoles,
    answer: ({ address, definitions }, id) =>
      pageOf(address, definitions.find(id)?.presentations ?? [], shownPresentation),
  },
];

export function answerCall(call: GraphCall): Answer | Refusal {
  const path = call.address.pathname;
  const resource = findResource(path);
  if (resource !== undefined) return answerPolicyCall(call, resource.type, resource.rest);
  for (const { path: pattern, form, roles, answer } of readingRoutes) {
    const match = pattern.exec(path);
    if (match === null) continue;
    if (call.method !== "GET") return refused(form, 405, "Request_BadRequest", "This can only be read.");
    return (
      refuseUnlessAnyGranted(form, roles, call.roles) ?? answer(call, decodeURIComponent(match[1] ?? ""))
    );
  }
  return refused("graph", 400, "BadRequest", "Resource not found for the segment.");
}
