import { expect, test } from "@jest/globals";
import { describeTenant } from "../../../server/domain/tenants/describeTenant.ts";
import type { Tenant, TenantConnection } from "../../../server/domain/tenants/findTenantFor.ts";

const connection: TenantConnection = {
  id: "connection",
  clientId: "client",
  status: "verified",
  cause: null,
  verifiedAt: new Date(),
  credentialExpiresAt: null,
  grantedRoles: [],
};

const contoso: Tenant = {
  id: "tenant",
  workspaceId: "workspace",
  name: "Contoso",
  directoryId: "directory",
  lifecycle: "active",
  hold: null,
  workspaceHold: null,
  connection,
  queuedRuns: 0,
  runningRuns: 0,
};

const hold = { reason: "rotation", by: "Olivia", at: new Date(), until: null };
const refused = { ...connection, status: "invalid", cause: "The secret has expired." } as const;

const cases: [string, Partial<Tenant>, string, RegExp][] = [
  ["active", {}, "Contoso is active", /Nothing waits or runs/],
  ["active with open runs", { queuedRuns: 2, runningRuns: 1 }, "Contoso is active", /3 runs are open/],
  ["without a connection", { connection: null }, "Contoso has no connection", /blocked until it has one/],
  [
    "unverified",
    { connection: { ...connection, status: "unverified" } },
    "The connection of Contoso is not verified",
    /Verify it/,
  ],
  ["refused", { connection: refused }, "The connection of Contoso is refused", /The secret has expired/],
  ["onboarding", { lifecycle: "onboarding" }, "Contoso is being set up", /Make it active/],
  ["suspended", { lifecycle: "suspended" }, "Contoso is suspended", /everything else is blocked/],
  ["offboarding", { lifecycle: "offboarding" }, "Contoso is being offboarded", /backed up/],
  ["archived", { lifecycle: "archived" }, "Contoso is archived", /credentials are erased/],
  [
    "held",
    { hold, queuedRuns: 1, runningRuns: 1 },
    "Contoso is on hold",
    /Olivia .*“rotation”.*1 run waits\. Once the hold is released, it is authorized again before it starts\. What runs already/,
  ],
  [
    "held with several waiting",
    { hold, queuedRuns: 2 },
    "Contoso is on hold",
    /2 runs wait\. Once the hold is released, each is authorized again before it starts\./,
  ],
  ["held and suspended", { hold, lifecycle: "suspended" }, "Contoso is on hold", /verified; everything else/],
];

test.each(cases)(
  "the page of a tenant that is %s begins with how it stands",
  (_name, given, headline, words) => {
    const standing = describeTenant({ ...contoso, ...given });
    expect(standing.headline).toBe(headline);
    expect(standing.sentences.map(({ text }) => text).join(" ")).toMatch(words);
  },
);
