import type { Db } from "../../server/db/database.ts";
import type { OperationContract, Prerequisite } from "../../server/domain/authority/contract.ts";
import type { ReasonCode } from "../../server/domain/authority/reasons.ts";
import { type Denial, everyRun, inTwoMoments, moments, needing, variant, withoutTrigger } from "./denial.ts";
import type { Scene } from "./scenes.ts";

const needingConnection = ({ prerequisites }: OperationContract) =>
  prerequisites.includes("connection_exists") || prerequisites.includes("connection_verified");

/** What there is besides people's rights, and how a run comes to be without it. */
export const prerequisiteDenials = {
  provider_connection_invalid: [
    {
      title: "the connection was deleted",
      concerns: needingConnection,
      moments,
      bring: (db, { connection }) =>
        db.query("delete from provider_connections where id = $1", [connection.id]),
      says: ({ contoso }) => `the connection of ${contoso.name} cannot be used: there is no connection`,
    },
    {
      title: "the connection is refused",
      concerns: needing("connection_verified"),
      moments,
      bring: setConnection("status = 'invalid', cause = 'The secret was refused.'"),
      says: ({ contoso }) => `the connection of ${contoso.name} cannot be used: The secret was refused`,
    },
    {
      title: "the connection is not verified any more",
      concerns: needing("connection_verified"),
      moments: variant,
      bring: setConnection("status = 'unverified'"),
      says: ({ contoso }) => `the connection of ${contoso.name} cannot be used: unverified`,
    },
  ],
  write_gate_blocked: [
    closedGate(
      "the verification is too old",
      "verified_at = clock_timestamp() - interval '25 hours'",
      moments,
    ),
    closedGate("the permissions are gone", "granted_roles = '{}'", inTwoMoments),
    closedGate("the credential expired", "credential_expires_at = clock_timestamp()", variant),
    {
      ...closedGate(
        "the credential expires within the hour",
        "credential_expires_at = clock_timestamp() + interval '59 minutes'",
        ["request", "begin", "retry"],
      ),
      because: "an attempt that has begun goes on to the end of its credential",
    },
  ],
  execution_prerequisite_invalid: [
    {
      title: "the request expired",
      concerns: everyRun,
      moments: ["request", "begin", "retry"],
      because: "“do not start after”: what began in time goes on, but every attempt begins",
      bring: (db, { northwind }) =>
        db.query("update operation_runs set expires_at = clock_timestamp() where workspace_id = $1", [
          northwind.id,
        ]),
      asking: () => ({ expiresInHours: 0 }),
      says: () => "the request expired before it could begin",
    },
    {
      title: "somebody at the tenant has to approve first",
      concerns: needing("write_gate"),
      moments,
      bring: setConnection("approval_required = 'Microsoft asks for the approval of a second admin.'"),
      says: () => "Microsoft asks for the approval of a second admin.",
    },
    {
      title: "the backup was deleted",
      concerns: needing("source_exists"),
      moments,
      bring: (db, { asking }) => db.query("delete from backup_sets where id = $1", [asking.backupSetId]),
      says: () => "the backup it would take from no longer exists",
    },
    {
      title: "the preview is more than an hour old",
      concerns: needing("preview_fresh"),
      moments: ["request", "begin"],
      because: "a restore that has begun in time may take longer",
      bring: (db, scene) =>
        withoutTrigger(db, "restore_plans", "restore_plans_are_frozen", [
          "update restore_plans set completed_at = completed_at - interval '1 hour' where id = $1",
          [planOf(scene)],
        ]),
      says: () => "its preview is more than an hour old",
    },
    ...confirmedDenials("preview_fresh", {
      what: "preview",
      table: "restore_plans",
      idOf: planOf,
      gone: "its preview no longer exists",
      taken: "its preview was carried out by another run",
    }),
    ...confirmedDenials("selection_unchanged", {
      what: "selection",
      table: "bulk_selections",
      idOf: ({ asking }) => asking.target?.selectionId,
      gone: "what was selected is no longer known",
      taken: "its selection was worked on by another run",
    }),
  ],
} satisfies Partial<Record<ReasonCode, Denial[]>>;

function setConnection(assignment: string) {
  return (db: Db, { connection }: Scene) =>
    db.query(`update provider_connections set ${assignment} where id = $1`, [connection.id]);
}

function closedGate(title: string, assignment: string, at: Denial["moments"]): Denial {
  return {
    title,
    concerns: needing("write_gate"),
    moments: at,
    bring: setConnection(assignment),
    says: ({ contoso }) => `${contoso.name} is not open for changes`,
  };
}

function planOf({ asking }: Scene): unknown {
  return asking.target?.planId;
}

type Confirmed = {
  what: string;
  table: string;
  idOf(scene: Scene): unknown;
  gone: string;
  taken: string;
};

/** What somebody looked at and confirmed, which a run then carries out as it was. */
function confirmedDenials(
  prerequisite: Prerequisite,
  { what, table, idOf, gone, taken }: Confirmed,
): Denial[] {
  const concerns = needing(prerequisite);
  return [
    {
      title: `something has moved since the ${what}`,
      concerns,
      moments,
      bring: (db, scene) =>
        db.query(
          `update ${table} set stale_since = clock_timestamp(), stale_reason = 'it has moved' where id = $1`,
          [idOf(scene)],
        ),
      says: () => "it has moved",
    },
    {
      title: `the ${what} was deleted`,
      concerns,
      moments: inTwoMoments,
      bring: (db, scene) => db.query(`delete from ${table} where id = $1`, [idOf(scene)]),
      says: () => gone,
    },
    {
      title: `another run has taken the ${what}`,
      concerns,
      moments: ["request", "begin"],
      because: `what has begun holds its ${what}`,
      bring: (db, scene) =>
        db.query(`update ${table} set run_id = gen_random_uuid() where id = $1`, [idOf(scene)]),
      says: () => taken,
    },
    {
      title: `another ${what} was confirmed than there is`,
      concerns,
      moments: ["request"],
      because: `neither a ${what} nor what a run froze of it changes`,
      bring: async () => {},
      asking: ({ asking }) => ({ target: { ...asking.target, digest: "another" } }),
      says: () => `its ${what} is not the one that was confirmed`,
    },
  ];
}
