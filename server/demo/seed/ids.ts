import { createHash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";

/** The demo's people and tenants came to be at this moment, so that their ids are the same in every demo. */
const beginning = Date.UTC(2026, 0, 5, 9);

/** The id of something the demo names: the same in every demo, so that links and tests can rely on it. */
export function idOf(kind: string, name: string): string {
  return idAt(new Date(beginning), kind, name);
}

/** The id of something that happened at a time: in its place among ids in order of time. */
export function idAt(time: Date, kind: string, name: string): string {
  return uuidv7({ msecs: time.getTime(), random: digestOf(kind, name) });
}

/** A directory's id is Microsoft's, not ours, and looks like it. */
export function directoryIdOf(tenantName: string): string {
  const hex = digestOf("directory", tenantName).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function digestOf(kind: string, name: string): Buffer {
  return createHash("sha256").update(`${kind}/${name}`).digest();
}
