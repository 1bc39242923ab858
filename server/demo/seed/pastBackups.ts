import { policyTypes } from "../../provider/policyTypes.ts";
import { adatum, contoso, mia, omar, type Person, type Tenant } from "./cast.ts";
import { policyCountsOf } from "./directories.ts";
import { effect, type PastRun } from "./pastRun.ts";
import { nightlyBackup, nightsSince } from "./schedules.ts";

/** The backups of the days before, oldest first: Contoso Retail's by its schedule, Adatum Health's by people. */
export function pastBackups(now: Date): PastRun[] {
  const nights = nightsSince(now).map((hoursAgo) => ({
    ...backup(contoso, null, hoursAgo),
    schedule: nightlyBackup,
  }));
  return [...nights, backup(adatum, mia, 100), backup(adatum, omar, 15)];
}

function backup(tenant: Tenant, by: Person | null, hoursAgo: number): PastRun {
  const itemsOf = policyCountsOf(tenant);
  const pages = policyTypes.map((type) =>
    effect(`${type}:page:1:1`, itemsOf[type], { backed_up: itemsOf[type] }),
  );
  return {
    operation: "backup.create",
    tenant,
    by,
    hoursAgo,
    took: 5.2,
    effects: [effect("set", 0, {}), ...pages, effect("complete", 0, {})],
    end: { outcome: "succeeded" },
  };
}
