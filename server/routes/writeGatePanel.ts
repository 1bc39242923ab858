import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import type { Badge, Tone } from "../domain/operations/runWords.ts";
import type { Fix, GateCheck, WritableType, WriteGate } from "../domain/tenants/describeWriteGate.ts";
import type { Tenant } from "../domain/tenants/findTenantFor.ts";
import { paths } from "../http/paths.ts";
import type { StartButton } from "./tenantActions.ts";

/** What mends a check: a button, a link, or what somebody has to do elsewhere first. */
type Mending = {
  words: string | null;
  link: { href: string; label: string } | null;
  start: StartButton | null;
};

type GateRow = Pick<GateCheck, "label" | "found" | "at"> & {
  tone: Tone;
  icon: string;
  mending: Mending | null;
};

export type GatePanel = { badge: Badge; words: string; rows: GateRow[]; missing: WritableType[] };

const states = {
  open: {
    badge: { tone: "ok", icon: "succeeded", label: "Open" },
    words: "Changes may be written to the tenant.",
  },
  partly: {
    badge: { tone: "part", icon: "partial", label: "Partly open" },
    words: "Changes may be written, but not to every type of policy.",
  },
  closed: {
    badge: { tone: "block", icon: "blocked", label: "Closed" },
    words: "Nothing is written to the tenant until this is put right.",
  },
} as const satisfies Record<WriteGate["state"], Pick<GatePanel, "badge" | "words">>;

/** The write gate as a page shows it: its state, each check, and what puts it right. Null for an archived tenant. */
export function writeGatePanel(
  viewer: Viewer,
  tenant: Tenant,
  gate: WriteGate,
  verify: StartButton | null,
): GatePanel | null {
  if (tenant.lifecycle === "archived") return null;
  const { badge, words } = states[gate.state];
  const mend = mender(viewer, tenant, verify);
  return {
    badge,
    words:
      tenant.lifecycle === "active" ? words : `Nothing is written while the tenant is ${tenant.lifecycle}.`,
    rows: gate.checks.map((check) => toRow(check, mend)),
    missing: gate.types.filter(({ missing }) => missing.length > 0),
  };
}

function toRow({ label, found, at, result, fix }: GateCheck, mend: (fix: Fix) => Mending | null): GateRow {
  const look =
    result === "passed"
      ? ({ tone: "ok", icon: "succeeded" } as const)
      : ({ tone: "block", icon: "blocked" } as const);
  return { label, found, at, ...look, mending: fix === null ? null : mend(fix) };
}

const before = {
  grant:
    "Grant what is missing to the application in the tenant's directory (Entra: App registrations, API permissions), give admin consent, then verify.",
  approve: "Somebody who administers the tenant's directory has to approve it there. Then verify.",
} as const;

/** One verification mends several checks: its button stands at the first of them. */
function mender(viewer: Viewer, tenant: Tenant, verify: StartButton | null): (fix: Fix) => Mending | null {
  let start = verify;
  const takeStart = () => {
    const taken = start;
    start = null;
    return taken;
  };
  return (fix) => {
    switch (fix) {
      case "verify": {
        const taken = takeStart();
        return taken === null ? null : { words: null, link: null, start: taken };
      }
      case "replace":
        return may(viewer, "connection.manage", tenant.id)
          ? {
              words: null,
              link: { href: paths.connection(tenant.id), label: "Replace the credential" },
              start: null,
            }
          : {
              words: `You need connection.manage to ${capabilities["connection.manage"]}.`,
              link: null,
              start: null,
            };
      case "grant":
      case "approve":
        return { words: before[fix], link: null, start: takeStart() };
    }
  };
}
