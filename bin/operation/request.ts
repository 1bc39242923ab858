import { setTimeout as wait } from "node:timers/promises";
import { baseUrl, type SharedConfig } from "../../server/config.ts";
import type { Db } from "../../server/db/database.ts";
import type { Actor } from "../../server/domain/audit/recordAudit.ts";
import type { DenialClass } from "../../server/domain/authority/reasons.ts";
import { contractOf, isPlainOperation, plainOperations } from "../../server/domain/operations/catalog.ts";
import { getRunForOperator, type RunStanding } from "../../server/domain/operations/getRunForOperator.ts";
import { type RequestOutcome, requestRun } from "../../server/domain/operations/requestRun.ts";
import { findPersonByEmail } from "../../server/domain/people/findPersonByEmail.ts";
import { listTenantsNamed, type NamedTenant } from "../../server/domain/tenants/listTenantsNamed.ts";
import { type Terminal, UsageError } from "../terminal.ts";
import { exitCodeOf, exitCodes } from "./exitCodes.ts";

export type RequestOptions = { tenant: string; workspace?: string; as?: string; wait?: true };

/** Requests a run and says where it is and, awaited, how it ended. Returns the exit code. */
export async function request(
  db: Db,
  config: SharedConfig,
  { print, progress }: Terminal,
  operation: string,
  options: RequestOptions,
): Promise<number> {
  if (!isPlainOperation(operation))
    throw new UsageError(
      `There is no operation "${operation}" to request here. There are: ${plainOperations.join(", ")}.`,
    );
  const tenant = await chooseTenant(db, options.tenant, options.workspace ?? null);
  const initiator = options.as === undefined ? null : await findInitiator(db, options.as);
  const outcome = await requestRun(db, {
    operation,
    workspaceId: tenant.workspaceId,
    tenantId: tenant.id,
    initiator,
    trigger: "command",
    requestKey: null,
    expiresInHours: config.REQUEST_EXPIRY_HOURS,
  });
  if (outcome.kind === "refused") {
    print(refusalOf(outcome, tenant, initiator));
    return exitCodes.blocked;
  }
  const authority = initiator === null ? "under system authority" : `as ${initiator.name}`;
  progress(`${contractOf(operation).title} at ${tenant.name} of ${tenant.workspaceName}, ${authority}:`);
  print(`${baseUrl(config)}/admin/operations/${outcome.runId}`);
  const standing =
    options.wait || outcome.blocked
      ? await awaitEnd(db, outcome.runId, progress)
      : await getRunForOperator(db, outcome.runId);
  print(sentenceOf(standing));
  return exitCodeOf(standing.outcome);
}

async function chooseTenant(db: Db, nameOrId: string, workspace: string | null): Promise<NamedTenant> {
  const [tenant, ...others] = await listTenantsNamed(db, nameOrId, workspace);
  if (tenant === undefined) {
    const where = workspace === null ? "" : ` in the workspace "${workspace}"`;
    throw new UsageError(`There is no tenant "${nameOrId}"${where}.`);
  }
  if (others.length === 0) return tenant;
  const choices = [tenant, ...others].map(
    ({ id, workspaceSlug, workspaceName }) =>
      `  --workspace ${workspaceSlug}  (${workspaceName}) or --tenant ${id}`,
  );
  throw new UsageError(`Several tenants are called "${nameOrId}". Choose one:\n${choices.join("\n")}`);
}

async function findInitiator(db: Db, email: string): Promise<Actor> {
  const person = await findPersonByEmail(db, email);
  if (person === undefined) throw new UsageError(`Nobody here has the address ${email}.`);
  return person;
}

const refusals = {
  scope_denied: ({ who, where }) => `${who} has no access to ${where}`,
  initiator_invalid: ({ who, where }) => `${who} is no active member of the workspace of ${where}`,
  capability_denied: ({ who, where, capability }) => `${who} does not hold ${capability} at ${where}`,
  tenant_not_operable: ({ where }) => `${where} cannot be worked on now`,
  prerequisite_invalid: ({ where }) => `${where} is not ready for it`,
} as const satisfies Record<
  DenialClass,
  (words: { who: string; where: string; capability: string }) => string
>;

/** Plainly: who runs commands here runs the installation. */
function refusalOf(
  { denialClass, reasonCode, capability }: Extract<RequestOutcome, { kind: "refused" }>,
  tenant: NamedTenant,
  initiator: Actor | null,
): string {
  const words = refusals[denialClass]({
    who: initiator?.name ?? "The system",
    where: tenant.name,
    capability,
  });
  return `Refused: ${words} (${reasonCode}). No run was made.`;
}

async function awaitEnd(db: Db, runId: string, progress: (line: string) => void): Promise<RunStanding> {
  let told = "";
  for (;;) {
    const standing = await getRunForOperator(db, runId);
    if (standing.outcome !== "pending") return standing;
    if (sentenceOf(standing) !== told) {
      told = sentenceOf(standing);
      progress(told);
    }
    await wait(300);
  }
}

function sentenceOf({ label, lines }: RunStanding): string {
  return lines.length === 0 ? label : `${label}: ${lines.join(" ")}`;
}
