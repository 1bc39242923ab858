import type { Request, Response } from "express";
import type { JsonObject, PolicyType } from "../../provider/port.ts";
import { originOf, sendGraphError, sendIntuneError } from "./answers.ts";
import type { Directory } from "./directories.ts";
import { sendPage } from "./paging.ts";
import { isPolicyType } from "./policies.ts";
import type { SandboxState } from "./state.ts";

const configurationRoles = [
  "DeviceManagementConfiguration.Read.All",
  "DeviceManagementConfiguration.ReadWrite.All",
];
const organizationRoles = ["Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All"];

/** Graph's side: every request is held against its token, then against the directory's faults and roles. */
export async function answerGraphRequest(
  state: SandboxState,
  request: Request,
  response: Response,
): Promise<unknown> {
  response.set("request-id", crypto.randomUUID());
  response.set("client-request-id", request.get("client-request-id") ?? crypto.randomUUID());
  const claims = await state.tokenDesk.verify(bearerOf(request), originOf(request));
  const directory = claims === null ? undefined : state.directories.find(claims.tid);
  if (claims === null || directory === undefined || claims.generation !== directory.tokenGeneration) {
    const message = "Access token has expired or is not yet valid.";
    return sendGraphError(request, response, 401, "InvalidAuthenticationToken", message);
  }
  if (await directory.faults.intercept("graph", request, response)) return;
  if (request.method !== "GET") {
    return sendGraphError(request, response, 405, "Request_BadRequest", "This sandbox is read only.");
  }
  return route(directory, claims.roles, request, response);
}

/** The token of an Authorization header, or an empty text. */
export function bearerOf(request: Request): string {
  return /^Bearer (.+)$/i.exec(request.get("authorization") ?? "")?.[1] ?? "";
}

function route(directory: Directory, roles: string[], request: Request, response: Response): Response {
  const [version, section, type = "", id, part, ...rest] = request.path
    .split("/")
    .slice(1)
    .map(decodeURIComponent);
  if (version === "v1.0" && section === "organization" && type === "") {
    return answerOrganization(directory, roles, request, response);
  }
  const known = version === "beta" && section === "deviceManagement" && rest.length === 0;
  if (!known || !isPolicyType(type)) {
    return sendGraphError(request, response, 400, "BadRequest", "Resource not found for the segment.");
  }
  if (!configurationRoles.some((role) => roles.includes(role))) {
    const message = `Application is not authorized to perform this operation. Application must have one of the following scopes: ${configurationRoles.join(", ")}`;
    return sendIntuneError(request, response, 403, "Forbidden", message);
  }
  if (id === undefined) return answerList(directory, type, request, response);
  return answerPolicy(directory, type, id, part, request, response);
}

function answerOrganization(
  directory: Directory,
  roles: string[],
  request: Request,
  response: Response,
): Response {
  if (!organizationRoles.some((role) => roles.includes(role))) {
    const message = "Insufficient privileges to complete the operation.";
    return sendGraphError(request, response, 403, "Authorization_RequestDenied", message);
  }
  return response.json({ value: [{ id: directory.directoryId, displayName: directory.displayName }] });
}

function answerList(directory: Directory, type: PolicyType, request: Request, response: Response): Response {
  const expand = new URL(request.originalUrl, originOf(request)).searchParams.get("$expand") ?? "";
  const expanded = expand.startsWith("scheduledActionsForRule");
  const policies = [...directory.policies[type].values()];
  return sendPage(request, response, policies, (policy) => listed(policy, expanded));
}

function answerPolicy(
  directory: Directory,
  type: PolicyType,
  id: string,
  part: string | undefined,
  request: Request,
  response: Response,
): Response {
  const policy = directory.policies[type].get(id);
  const isSettings = type === "configurationPolicies" && part === "settings";
  if (policy === undefined || (part !== undefined && !isSettings)) {
    return sendIntuneError(request, response, 404, "ResourceNotFound", `Nothing was found under '${id}'.`);
  }
  if (!isSettings) return response.json(listed(policy, false));
  const settings = Array.isArray(policy.settings) ? policy.settings : [];
  return sendPage(request, response, settings, (setting) => setting);
}

/** As Graph gives it without being asked for more: sub-resources stay out. */
function listed(policy: JsonObject, withActions: boolean): JsonObject {
  const { settings: _settings, scheduledActionsForRule, ...own } = policy;
  return withActions && scheduledActionsForRule !== undefined ? { ...own, scheduledActionsForRule } : own;
}
