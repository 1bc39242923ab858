import { policyTypes, typeLabels } from "../../provider/policyTypes.ts";
import {
  adatum,
  contoso,
  fabrikamHq,
  felix,
  hugo,
  litware,
  mia,
  olivia,
  omar,
  type Person,
  proseware,
  rita,
  sam,
  type Tenant,
  theo,
  wingtip,
} from "./cast.ts";
import { type PastRun, refuted, syncEffects, typesBut, verified } from "./pastRun.ts";
import { accountWasDeleted, connectionWasInvalid, roleWas, tenantWas } from "./worlds.ts";

const succeeded = { outcome: "succeeded" } as const;
export const expiredSecret = "The identity provider refuses these credentials (AADSTS7000222)";
const wrongSecret = "The identity provider refuses these credentials (AADSTS7000215)";
const silence = {
  code: "provider_unavailable",
  message: "Microsoft did not answer: no answer in time",
} as const;
const refusal = "Application is not authorized to perform this operation";

/** Mia has asked for it again, as herself. */
const syncOfRita = sync(adatum, rita, 44, {
  waited: 1_800,
  was: roleWas("operator"),
  end: { outcome: "blocked", at: "begin", world: roleWas("readonly") },
});

/**
 * What ran, or did not, in the weeks and days before. Every outcome is here, of people and of the system; a
 * denial is told with the change of the world that caused it (`pastChanges` has the audit trail of those).
 */
export const pastRuns: readonly PastRun[] = [
  verification(wingtip, olivia, 744),
  sync(wingtip, theo, 743.5, { effects: syncEffects(wingtip, "created"), end: succeeded }),
  sync(wingtip, null, 600, { effects: syncEffects(wingtip, "unchanged", { changed: 4 }), end: succeeded }),

  verification(contoso, olivia, 146),
  sync(contoso, omar, 145.6, { effects: syncEffects(contoso, "created"), end: succeeded }),
  verification(adatum, mia, 144),
  sync(adatum, mia, 143.8, {
    effects: syncEffects(adatum, "created", { types: typesBut("configurationPolicies") }),
    end: {
      outcome: "partially_succeeded",
      message: `${typeLabels.configurationPolicies} could not be read: ${refusal}`,
    },
  }),
  sync(adatum, mia, 141.2, {
    effects: [
      ...syncEffects(adatum, "unchanged", { types: typesBut("configurationPolicies") }),
      ...syncEffects(adatum, "created", { types: ["configurationPolicies"] }),
    ],
    end: succeeded,
  }),
  verification(fabrikamHq, felix, 130),
  sync(fabrikamHq, felix, 129.4, { effects: syncEffects(fabrikamHq, "created"), end: succeeded }),
  verification(litware, olivia, 120),
  sync(litware, omar, 119.5, { effects: syncEffects(litware, "created"), end: succeeded }),

  sync(contoso, null, 96, { effects: syncEffects(contoso, "unchanged", { changed: 3 }), end: succeeded }),
  sync(adatum, mia, 81.5, {
    waited: 25.5 * 3_600,
    end: { outcome: "blocked", at: "begin", world: (facts) => facts },
  }),
  sync(litware, mia, 76, {
    took: 7,
    effects: syncEffects(litware, "unchanged", { types: policyTypes.slice(0, 3) }),
    end: { outcome: "blocked", at: "checkpoint", world: tenantWas("suspended") },
  }),
  sync(litware, null, 72, {
    end: { outcome: "blocked", at: "request", world: tenantWas("suspended"), repeats: 2 },
  }),
  sync(fabrikamHq, null, 58, {
    took: 228,
    faults: { count: 5, ...silence },
    end: { outcome: "failed", ...silence },
  }),
  sync(adatum, omar, 54, {
    took: 231,
    faults: { count: 5, ...silence },
    end: { outcome: "failed", ...silence },
  }),
  sync(contoso, theo, 50, {
    waited: 2_400,
    end: { outcome: "blocked", at: "begin", world: accountWasDeleted },
  }),
  syncOfRita,
  sync(adatum, mia, 43.2, {
    rerunOf: syncOfRita,
    effects: syncEffects(adatum, "unchanged", { changed: 2 }),
    end: succeeded,
  }),
  sync(fabrikamHq, null, 33, {
    effects: syncEffects(fabrikamHq, "unchanged", { types: typesBut("deviceCompliancePolicies") }),
    end: {
      outcome: "partially_succeeded",
      message: `${typeLabels.deviceCompliancePolicies} could not be read: ${refusal}`,
    },
  }),
  sync(contoso, omar, 29, { waited: 45, end: { outcome: "cancelled", by: mia } }),
  verification(proseware, mia, 26, {
    was: tenantWas("onboarding"),
    effects: refuted,
    end: { outcome: "failed", code: "verification_failed", message: wrongSecret },
  }),
  sync(adatum, null, 20, {
    end: { outcome: "blocked", at: "checkpoint", world: connectionWasInvalid(expiredSecret) },
  }),
  verification(adatum, omar, 18),
  sync(contoso, sam, 12, { effects: syncEffects(contoso, "unchanged", { changed: 2 }), end: succeeded }),
  sync(fabrikamHq, felix, 10, { effects: syncEffects(fabrikamHq, "unchanged"), end: succeeded }),
  sync(adatum, null, 9, { effects: syncEffects(adatum, "unchanged", { changed: 1 }), end: succeeded }),
  sync(contoso, hugo, 6, { effects: syncEffects(contoso, "unchanged"), end: succeeded }),
];

type Rest = Omit<PastRun, "operation" | "tenant" | "by" | "hoursAgo">;

function sync(tenant: Tenant, by: Person | null, hoursAgo: number, rest: Rest): PastRun {
  return { operation: "inventory.sync", tenant, by, hoursAgo, took: 4, ...rest };
}

function verification(tenant: Tenant, by: Person, hoursAgo: number, rest: Partial<Rest> = {}): PastRun {
  const operation = "provider.connection.verify";
  return { operation, tenant, by, hoursAgo, took: 1.2, effects: verified, end: succeeded, ...rest };
}
