/** Addresses of pages, for redirects and links made in code; views spell theirs out. */
export const paths = {
  operations: "/admin/operations",
  needsAttention: "/admin/operations?attention=blocked",
  run: (id: string) => `/admin/operations/${id}`,
  tenants: "/admin/tenants",
  tenant: (id: string) => `/admin/tenants/${id}`,
  hold: (tenantId: string | null) => (tenantId === null ? "/admin/hold" : `/admin/tenants/${tenantId}/hold`),
  connection: (tenantId: string) => `/admin/tenants/${tenantId}/connection`,
  backups: "/admin/backups",
  backup: (id: string) => `/admin/backups/${id}`,
  backupItem: (setId: string, itemId: string) => `/admin/backups/${setId}/items/${itemId}`,
  restore: (id: string) => `/admin/restores/${id}`,
  inventory: "/admin/inventory",
  policy: (id: string) => `/admin/inventory/${id}`,
  selections: "/admin/bulk/selections",
  selection: (id: string) => `/admin/bulk/selections/${id}`,
  bulkSync: "/admin/bulk/sync",
  bulkBackups: "/admin/bulk/backups",
  schedules: "/admin/schedules",
  schedule: (id: string) => `/admin/schedules/${id}`,
  members: "/admin/members",
  member: (id: string) => `/admin/members/${id}`,
  roles: "/admin/roles",
  role: (id: string) => `/admin/roles/${id}`,
  notifications: "/admin/notifications",
  audit: "/admin/audit",
};

/** An address with a query; absent values are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | null | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) given.set(name, value);
  return given.size === 0 ? path : `${path}?${given}`;
}
