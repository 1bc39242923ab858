import { fabrikamHq, felix, hugo, mia, nadia, olivia, omar, type Person, rita, sam } from "./seed/cast.ts";

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

/** One step of the story that the product is about: who does it, what, and what there is to see. */
export type Step = { who: Person | null; does: string; sees: string };

/** The five steps from a held tenant to a blocked run. Two browser windows are handy: one private. */
export const steps: readonly Step[] = [
  {
    who: olivia,
    does: "open Tenants → Contoso Retail and put it on hold, with a reason.",
    sees: "The page says that its queue is paused, by whom and why.",
  },
  {
    who: omar,
    does: "in a private window, open Contoso Retail and start Sync inventory.",
    sees: "The run is queued and says that it waits for the hold.",
  },
  {
    who: olivia,
    does: "open Members → Omar Haddad, choose Read only and confirm the change.",
    sees: "The page that asks says first that his queued run will be blocked.",
  },
  {
    who: olivia,
    does: "release Contoso Retail.",
    sees: "The worker takes the run and asks again whether it may begin.",
  },
  {
    who: omar,
    does: "look at the run again.",
    sees:
      "Blocked by policy: Omar Haddad no longer has inventory.sync, and nothing was changed. " +
      "He is notified, and Olivia finds all of it in the audit trail.",
  },
];

/** Who may not look at the run that was blocked, and what they get instead. */
export const strangers: readonly Step[] = [
  { who: hugo, does: "may not see operations.", sees: "403, naming the capability operations.view" },
  { who: felix, does: "is of another workspace.", sees: "404, the same as for a run that does not exist" },
  { who: nadia, does: "is a member of nothing.", sees: "404" },
];
