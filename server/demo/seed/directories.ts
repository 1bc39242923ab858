import type { DirectoryDefinition } from "../sandbox/directories.ts";
import { tenants } from "./cast.ts";

/** The permissions an admin grants for reading policies and for verification. */
export const grantedRoles = ["DeviceManagementConfiguration.Read.All", "Organization.Read.All"];

/** What the seed seals for a tenant and its directory accepts. Opens nothing outside the sandbox. */
export function secretOf(tenant: { name: string }): string {
  return `sandbox secret of ${tenant.name}`;
}

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
        roles: grantedRoles,
      },
    ],
    policies: tenant.policies,
  }));
