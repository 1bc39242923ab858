import type { JsonObject, JsonValue, PolicyWrite } from "../port.ts";
import type { Outgoing } from "./exchange.ts";
import type { GraphClient } from "./graphClient.ts";
import { isJsonObject } from "./json.ts";
import { collectionPath, policyPath, policyRules } from "./policyRules.ts";

type Method = Outgoing["method"];

/** The one request that a writing call is. Throws an `Error` when the call lacks the id of what it writes. */
export function writeRequest(
  client: GraphClient,
  write: PolicyWrite,
  idempotencyKey: string,
): { address: string; outgoing: Outgoing } {
  const { method, path } = target(write);
  const headers = { "client-request-id": idempotencyKey };
  if (method === "DELETE") return { address: client.addressOf(path), outgoing: { method, headers } };
  const body = JSON.stringify(withWholeReferences(write.body, client));
  const outgoing = { method, headers: { ...headers, "content-type": "application/json" }, body };
  return { address: client.addressOf(path), outgoing };
}

function target({ action, type, id }: PolicyWrite): { method: Method; path: string } {
  const rule = policyRules[type];
  if (action === "create") return { method: "POST", path: collectionPath(rule) };
  if (id === null) throw new Error(`A write "${action}" needs the id of what it writes.`);
  const path = policyPath(rule, id);
  switch (action) {
    case "update":
      return { method: rule.update, path };
    case "delete":
      return { method: "DELETE", path };
    case "assign":
      return { method: "POST", path: `${path}/assign` };
    case "actions":
      return { method: "POST", path: `${path}/scheduleActionsForRules` };
    case "definitions":
      return { method: "POST", path: `${path}/updateDefinitionValues` };
  }
}

/** References are kept relative to the service, wherever it is; on the way out they name the whole address. */
function withWholeReferences(body: JsonObject, client: GraphClient): JsonObject {
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => {
      const relative = key.endsWith("@odata.bind") && typeof value === "string" && value.startsWith("/");
      return [key, relative ? client.addressOf(`/beta${value}`) : inner(value, client)];
    }),
  );
}

function inner(value: JsonValue, client: GraphClient): JsonValue {
  if (Array.isArray(value)) return value.map((item) => inner(item, client));
  return isJsonObject(value) ? withWholeReferences(value, client) : value;
}
