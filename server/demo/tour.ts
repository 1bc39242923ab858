import {
  adatum,
  contoso,
  fabrikamHq,
  felix,
  hugo,
  litware,
  mia,
  nadia,
  olivia,
  omar,
  type Person,
  rita,
  sam,
} from "./seed/cast.ts";

/** An account of the demo, and what it is there to show. Everyone's password is the same. */
export type Account = { person: Person; role: string; sees: string };

export const accounts: readonly Account[] = [
  { person: olivia, role: "Owner", sees: "everything of Northwind; may also change members and their roles" },
  { person: mia, role: "Manager", sees: "everything of Northwind; may hold tenants, may not change members" },
  { person: omar, role: "Operator", sees: "all tenants of Northwind, and may start work on them" },
  {
    person: sam,
    role: "Operator for Contoso Retail only",
    sees: "Contoso Retail; any other tenant is a 404",
  },
  { person: rita, role: "Read only", sees: "all tenants; starting anything is a 403" },
  {
    person: hugo,
    role: "Sync desk, a role of Northwind's own",
    sees: "tenants, and may sync; operations are a 403",
  },
  { person: felix, role: "Owner of Fabrikam IT", sees: `${fabrikamHq.name}; all of Northwind is a 404` },
  { person: nadia, role: "Member of nothing", sees: "a page that says so; operations are a 404" },
];

/** What one person does at one place. What `sees` puts “in quotes” is on the page, word for word. */
export type Act = { who: Person; where: string; does: string; sees: string };

export type StepName = "start" | "revoke" | "release" | "ended" | "strangers" | "suspend" | "schedule";
export type Step = { name: StepName; title: string; acts: readonly Act[] };

const atContoso = `Tenants → ${contoso.name}`;
const atAdatum = `Tenants → ${adatum.name}`;
const run = "the run's page";
const both = "the run's page, and Operations";

/**
 * The story that the product is about, step by step: what the demo prints, the README tells and the smoke check
 * walks in a browser. The blocked run is there after the fourth.
 */
export const steps: readonly Step[] = [
  {
    name: "start",
    title: "Start work that has to wait",
    acts: [
      act(olivia, atContoso, "hold the tenant, with a reason", `“${contoso.name} is on hold”`),
      act(
        omar,
        `${atContoso}, in a private window`,
        "start Sync inventory",
        `it is “Queued” and waits: “on hold by ${olivia.name}”`,
      ),
    ],
  },
  {
    name: "revoke",
    title: "Take the right away while it waits",
    acts: [
      act(
        olivia,
        `Members → ${omar.name}`,
        "choose Read only and confirm",
        "the page that asks says first that it will “block 1 queued run”",
      ),
      act(
        olivia,
        `Members → ${sam.name}`,
        "in a second pass, with a sync that Sam started: remove him from the workspace",
        "the same",
      ),
    ],
  },
  {
    name: "release",
    title: "Let the work go",
    acts: [
      act(olivia, atContoso, "release the tenant", "the worker takes the run and asks whether it may begin"),
      act(olivia, "Operations", "look for the run", "“Blocked by policy”, and not among what failed"),
    ],
  },
  {
    name: "ended",
    title: "Read what became of it",
    acts: [
      act(
        omar,
        run,
        "look again",
        `“Blocked by policy: ${omar.name} no longer has inventory.sync”, and “Nothing was changed”`,
      ),
      act(omar, "Notifications", "find it there too", "“Blocked by policy”"),
      act(olivia, run, "follow “audit entry”", "who took the right away, and when"),
    ],
  },
  {
    name: "strangers",
    title: "Look as somebody who may not",
    acts: [
      act(hugo, both, "is in scope, without the right", "403, naming “operations.view”"),
      act(nadia, both, "is a member of nothing", "404"),
      act(felix, run, "is of another workspace", "404, the same as for a run that does not exist"),
    ],
  },
  {
    name: "suspend",
    title: "Suspend a tenant while work waits",
    acts: [
      act(olivia, atAdatum, "hold the tenant, with a reason", `“${adatum.name} is on hold”`),
      act(mia, atAdatum, "start Sync inventory", "it is “Queued”"),
      act(olivia, atAdatum, "suspend the tenant, then release it", `“${adatum.name} is suspended”`),
      act(mia, run, "look again", `“Blocked by policy: ${adatum.name} is suspended”, “Nothing was changed”`),
    ],
  },
  {
    name: "schedule",
    title: "Find work that nobody started",
    acts: [
      act(
        olivia,
        `Schedules → Back up policies at ${litware.name}`,
        "see what became of it, a minute after the demo began",
        `“Paused: tenant suspended”, and its last run “Blocked by policy”`,
      ),
      act(olivia, run, "see who asked", "“Schedule”, and “Nothing was changed”"),
      act(olivia, "Notifications", "look for it", "nothing: a run without an initiator notifies nobody"),
    ],
  },
];

function act(who: Person, where: string, does: string, sees: string): Act {
  return { who, where, does, sees };
}

/** The words that a page shows, as an act quotes them. */
export function quotedBy({ sees }: Act): string[] {
  return [...sees.matchAll(/“([^”]+)”/g)].map(([, words = ""]) => words);
}
