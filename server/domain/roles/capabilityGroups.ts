import { type Capability, capabilities } from "../authority/capabilities.ts";

/** What a right is about, as its id begins. */
type Family = Capability extends `${infer F}.${string}` ? F : never;

/** Under which heading a page lists the rights of a family. */
const headings = {
  operations: "Operations",
  tenant: "Tenants and connections",
  connection: "Tenants and connections",
  inventory: "Inventory and policies",
  policy: "Inventory and policies",
  backup: "Backups and restores",
  restore: "Backups and restores",
  schedule: "Schedules",
  member: "Members and roles",
  role: "Members and roles",
  audit: "Workspace and audit trail",
  workspace: "Workspace and audit trail",
} as const satisfies Record<Family, string>;

export type Right = { capability: string; words: string };
export type RightGroup<R extends Right = Right> = { title: string; rights: R[] };

/** All rights there are, by heading, in plain words. */
export function groupRights(): RightGroup[] {
  const rights = Object.entries(capabilities).map(([capability, words]) => ({ capability, words }));
  const groups = Object.entries(headings).map(([family, title]) => ({
    title,
    rights: rights.filter(({ capability }) => capability.startsWith(`${family}.`)),
  }));
  return [...Map.groupBy(groups, ({ title }) => title)].map(([title, some]) => ({
    title,
    rights: some.flatMap((group) => group.rights),
  }));
}
