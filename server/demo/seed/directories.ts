import { policyTypes, rolesOf } from "../../provider/policyTypes.ts";
import type { DirectoryDefinition } from "../sandbox/directories.ts";
import type { Group } from "../sandbox/groups.ts";
import { countsByType, type Extras } from "../sandbox/policies.ts";
import { adatum, fabrikamHq, type Tenant, tenants } from "./cast.ts";
import { directoryIdOf } from "./ids.ts";

const readingRoles = [
  ...new Set(policyTypes.flatMap((type) => rolesOf[type].read)),
  "Organization.Read.All",
  "Group.Read.All",
];
const writingRoles = [...new Set(policyTypes.flatMap((type) => rolesOf[type].write))];

/** The permissions its admin granted: to read and to write everywhere, but at Fabrikam HQ to read only. */
export function grantedRolesOf(tenant: Tenant): string[] {
  if (tenant === fabrikamHq) return readingRoles;
  return [...new Set([...readingRoles, ...writingRoles])];
}

const extras = {
  assignmentFilters: 2,
  roleScopeTags: 2,
  groupPolicyConfigurations: 3,
  deviceManagementScripts: 3,
  conditionalAccessPolicies: 5,
} satisfies Extras;

/** How many policies of each type its directory has, or had. */
export function policyCountsOf(tenant: Tenant): ReturnType<typeof countsByType> {
  return { ...countsByType(tenant.policies), ...extras };
}

/** What the seed seals for a tenant and its directory accepts. Opens nothing outside the sandbox. */
export function secretOf(tenant: { name: string }): string {
  return `sandbox secret of ${tenant.name}`;
}

// By the same names at every tenant, so that a policy of one finds its groups at another.
const sharedGroups = [
  "All staff",
  "Pilot devices",
  "Executives",
  "Contractors",
  "Frontline workers",
  "Shared devices",
  "Meeting rooms",
  "Emergency access accounts",
];

/** The sandbox's side of the demo: a directory for every tenant that is not archived. */
export const directories: DirectoryDefinition[] = tenants
  .filter(({ lifecycle }) => lifecycle !== "archived")
  .map((tenant) => ({
    directoryId: tenant.directoryId,
    displayName: tenant.name,
    apps: [
      {
        clientId: tenant.connection.clientId,
        secret: secretOf(tenant),
        secretState: "valid",
        roles: grantedRolesOf(tenant),
      },
    ],
    policies: tenant.policies,
    extras,
    groups: groupsOf(tenant),
  }));

/** Two have one name, which therefore names neither; and Adatum Health has no contractors. */
function groupsOf(tenant: Tenant): Group[] {
  const names = tenant === adatum ? sharedGroups.filter((name) => name !== "Contractors") : sharedGroups;
  const group = (key: string, displayName: string) => ({
    id: directoryIdOf(`${tenant.name}/group/${key}`),
    displayName,
  });
  return [
    ...names.map((name) => group(name, name)),
    group("office", `${tenant.name} – Head office`),
    group("kiosks/1", "Kiosks"),
    group("kiosks/2", "Kiosks"),
  ];
}
