import type { Lifecycle } from "../authority/contract.ts";
import { type Badge, counted, type Tone } from "../operations/runWords.ts";
import type { Hold, Tenant, TenantConnection } from "./findTenantFor.ts";

export const lifecycleBadges = {
  onboarding: { tone: "run", icon: "key", label: "Onboarding" },
  active: { tone: "ok", icon: "succeeded", label: "Active" },
  suspended: { tone: "part", icon: "warning", label: "Suspended" },
  offboarding: { tone: "wait", icon: "cancelled", label: "Offboarding" },
  archived: { tone: "wait", icon: "skipped", label: "Archived" },
} as const satisfies Record<Lifecycle, Badge>;

export const connectionBadges = {
  verified: { tone: "ok", icon: "succeeded", label: "Verified" },
  unverified: { tone: "wait", icon: "queued", label: "Not verified" },
  invalid: { tone: "fail", icon: "failed", label: "Refused" },
} as const satisfies Record<TenantConnection["status"], Badge>;

export const noConnection: Badge = { tone: "wait", icon: "skipped", label: "No connection" };
export const heldBadge: Badge = { tone: "part", icon: "pause", label: "On hold" };

/** A sentence; `at` is a moment that belongs to its end. */
export type Sentence = { text: string; at: Date | null };

/** How a tenant stands: the first thing its page says, and what to do about it. */
export type Standing = { tone: Tone; icon: string; headline: string; sentences: Sentence[] };

export function describeTenant(tenant: Tenant): Standing {
  const { name, hold, workspaceHold, lifecycle } = tenant;
  if (hold === null && workspaceHold === null) return byLifecycle(tenant);
  const elsewise = lifecycle === "active" ? [] : byLifecycle(tenant).sentences;
  return {
    tone: "part",
    icon: "pause",
    headline: hold === null ? `${name} is on hold with its whole workspace` : `${name} is on hold`,
    sentences: [
      ...holdSentences(hold, "its queue"),
      ...holdSentences(workspaceHold, "the whole workspace"),
      say(waitingWords(tenant)),
      ...elsewise,
    ],
  };
}

function holdSentences(hold: Hold | null, what: string): Sentence[] {
  if (hold === null) return [];
  const { by, reason, at, until } = hold;
  return [
    { text: `${by} paused ${what}: “${reason}”,`, at },
    ...(until === null ? [] : [{ text: "It ends by itself", at: until }]),
  ];
}

function waitingWords({ queuedRuns, runningRuns }: Tenant): string {
  const going = runningRuns === 0 ? "" : " What runs already goes on.";
  if (queuedRuns === 0) return `Nothing waits yet.${going}`;
  const waits = counted(queuedRuns, "run waits", "runs wait");
  const each = queuedRuns === 1 ? "it" : "each";
  return `${waits}. Once the hold is released, ${each} is authorized again before it starts.${going}`;
}

function byLifecycle(tenant: Tenant): Standing {
  const { name, lifecycle } = tenant;
  const { tone, icon } = lifecycleBadges[lifecycle];
  switch (lifecycle) {
    case "active":
      return byConnection(tenant);
    case "onboarding":
      return { tone, icon, headline: `${name} is being set up`, sentences: [say(setupWords(tenant))] };
    case "suspended": {
      const words =
        "Only its connection can be verified; everything else is blocked until it is active again.";
      return { tone, icon, headline: `${name} is suspended`, sentences: [say(words)] };
    }
    case "offboarding": {
      const words = "It can still be verified and backed up; everything else is blocked.";
      return { tone, icon, headline: `${name} is being offboarded`, sentences: [say(words)] };
    }
    case "archived": {
      const words =
        "Nothing runs here any more, and its credentials are erased. Its past runs stay readable.";
      return { tone, icon, headline: `${name} is archived`, sentences: [say(words)] };
    }
  }
}

function setupWords({ connection }: Tenant): string {
  if (connection === null) return "It has no connection yet.";
  return connection.status === "verified"
    ? "Its connection is verified. Make it active to start working with it."
    : "Verify its connection, then make it active.";
}

function byConnection({ name, connection, queuedRuns, runningRuns }: Tenant): Standing {
  switch (connection?.status) {
    case undefined: {
      const words = "Operations are blocked until it has one.";
      return {
        tone: "part",
        icon: "warning",
        headline: `${name} has no connection`,
        sentences: [say(words)],
      };
    }
    case "unverified": {
      const words = "Verify it: other operations are blocked until that has succeeded.";
      const headline = `The connection of ${name} is not verified`;
      return { tone: "part", icon: "warning", headline, sentences: [say(words)] };
    }
    case "invalid": {
      const words =
        "Mend the credential, then verify the connection. Other operations are blocked until then.";
      const headline = `The connection of ${name} is refused`;
      const cause = connection?.cause ?? "No cause was kept.";
      return { tone: "fail", icon: "failed", headline, sentences: [say(cause), say(words)] };
    }
    case "verified": {
      const open = counted(queuedRuns + runningRuns, "run is open", "runs are open");
      const sentences = [
        { text: "Its connection was verified", at: connection?.verifiedAt ?? null },
        say(queuedRuns + runningRuns === 0 ? "Nothing waits or runs." : `${open}.`),
      ];
      return { tone: "ok", icon: "succeeded", headline: `${name} is active`, sentences };
    }
  }
}

function say(text: string): Sentence {
  return { text, at: null };
}
