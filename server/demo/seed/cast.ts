import { builtInRoles, type Capability } from "../../domain/authority/capabilities.ts";
import type { Lifecycle } from "../../domain/authority/contract.ts";
import { directoryIdOf, idOf } from "./ids.ts";

/** Everyone's. The demo is for looking around, on one's own machine. */
export const password = "countersign-demo";

export type Workspace = { id: string; slug: string; name: string };
export const northwind = makeWorkspace("northwind", "Northwind Managed Services");
const fabrikam = makeWorkspace("fabrikam", "Fabrikam IT");
export const workspaces = [northwind, fabrikam] as const;

function makeWorkspace(slug: string, name: string): Workspace {
  return { id: idOf("workspace", slug), slug, name };
}

export type Tenant = {
  id: string;
  workspace: Workspace;
  name: string;
  directoryId: string;
  lifecycle: Lifecycle;
  /** How many policies its directory has, or had. */
  policies: number;
  connection: {
    id: string;
    clientId: string;
    status: "unverified" | "verified";
    /** Above 1: the credential was replaced. */
    version: number;
  };
};

export const contoso = makeTenant(northwind, "Contoso Retail", "active", 48);
export const adatum = makeTenant(northwind, "Adatum Health", "active", 36, { version: 2 });
export const litware = makeTenant(northwind, "Litware", "suspended", 34);
export const proseware = makeTenant(northwind, "Proseware", "onboarding", 24, {
  version: 2,
  status: "unverified",
});
export const wingtip = makeTenant(northwind, "Wingtip", "archived", 28, { status: "unverified" });
export const fabrikamHq = makeTenant(fabrikam, "Fabrikam HQ", "active", 40);
export const tenants = [contoso, adatum, litware, proseware, wingtip, fabrikamHq] as const;

function makeTenant(
  workspace: Workspace,
  name: string,
  lifecycle: Lifecycle,
  policies: number,
  connection: Partial<Tenant["connection"]> = {},
): Tenant {
  return {
    id: idOf("tenant", name),
    workspace,
    name,
    directoryId: directoryIdOf(name),
    lifecycle,
    policies,
    connection: {
      id: idOf("connection", name),
      clientId: directoryIdOf(`${name}/application`),
      status: "verified",
      version: 1,
      ...connection,
    },
  };
}

export type Role = {
  id: string;
  workspace: Workspace;
  key: string;
  name: string;
  capabilities: readonly Capability[];
  builtIn: boolean;
};

/** Hugo's: he starts work on tenants and does not see how it ends. */
const syncDesk = makeRole(northwind, {
  key: "sync-desk",
  name: "Sync desk",
  capabilities: ["tenant.view", "inventory.view", "inventory.sync"],
});
export const roles: readonly Role[] = [
  ...workspaces.flatMap((workspace) =>
    builtInRoles.map((role) => ({ ...makeRole(workspace, role), builtIn: true })),
  ),
  syncDesk,
];

function makeRole(workspace: Workspace, role: Pick<Role, "key" | "name" | "capabilities">): Role {
  return { ...role, id: idOf("role", `${workspace.slug}/${role.key}`), workspace, builtIn: false };
}

export function getRole(workspace: Workspace, key: string): Role {
  const found = roles.find((role) => role.workspace === workspace && role.key === key);
  if (found === undefined) throw new Error(`The demo has no role ${key} in ${workspace.slug}.`);
  return found;
}

export type Person = {
  id: string;
  name: string;
  email: string;
  /** `tenant` null: at all tenants of the workspace. */
  holds: { role: Role; tenant: Tenant | null } | null;
};

export const olivia = makePerson("Olivia Brandt", "olivia@northwind.example", northwind, "owner");
export const mia = makePerson("Mia Lorenz", "mia@northwind.example", northwind, "manager");
export const omar = makePerson("Omar Haddad", "omar@northwind.example", northwind, "operator");
export const sam = makePerson("Sam Okafor", "sam@northwind.example", northwind, "operator", contoso);
export const rita = makePerson("Rita Novak", "rita@northwind.example", northwind, "readonly");
export const hugo = makePerson("Hugo Lindqvist", "hugo@northwind.example", northwind, syncDesk.key);
export const felix = makePerson("Felix Baumann", "felix@fabrikam.example", fabrikam, "owner");
export const nadia = makePerson("Nadia Rahimi", "nadia@outside.example");
export const people = [olivia, mia, omar, sam, rita, hugo, felix, nadia] as const;

/** Left long ago: the account is gone, and history still names it. */
export const theo = makePerson("Theo Varga", "theo@northwind.example", northwind, "operator");

function makePerson(
  name: string,
  email: string,
  workspace: Workspace | null = null,
  roleKey = "",
  tenant: Tenant | null = null,
): Person {
  const holds = workspace === null ? null : { role: getRole(workspace, roleKey), tenant };
  return { id: idOf("person", email), name, email, holds };
}
