import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { makeMaintenanceTasks } from "../../jobs/maintenance/maintenanceTasks.ts";
import { makeTaskList } from "../../jobs/taskList.ts";
import type { Prerequisite } from "../../server/domain/authority/contract.ts";
import { type ReasonCode, reasonCodes } from "../../server/domain/authority/reasons.ts";
import { contractOf, operationNames } from "../../server/domain/operations/catalog.ts";
import { readSources } from "../helpers/architecture.ts";
import { type Denial, moments } from "../helpers/denial.ts";
import { denialCases } from "../helpers/denials.ts";
import { listRefusals } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { casesOf, families, type Kind, kindsOf, waysOf } from "../helpers/matrixCases.ts";
import { addRawJob, drainQueue, listJobs } from "../helpers/queue.ts";
import { subjects } from "../helpers/subjects.ts";

const installation = useInstallation();

const isActors = ({ mode }: Kind) => mode === "actor_bound";
const isOfOneTenant = ({ operation }: Kind) => operation !== "tenants.bulk_sync";
const needs = (prerequisite: Prerequisite) => (kind: Kind) =>
  contractOf(kind.operation).prerequisites.includes(prerequisite);

/**
 * To which operations in which mode a reason can apply, said once more and apart from the ways to it: an operation
 * that a way forgot would not be missed otherwise. By handbook: who asks, where, and what the contract names.
 */
const canApply: Record<ReasonCode, (kind: Kind) => boolean> = {
  workspace_mismatch: () => true,
  initiator_missing: isActors,
  initiator_not_entitled: isActors,
  tenant_missing: isOfOneTenant,
  tenant_not_entitled: (kind) => isActors(kind) && isOfOneTenant(kind),
  missing_capability: isActors,
  system_authority_not_allowed: (kind) => !isActors(kind),
  // Rows of ours may be worked on whatever the tenant is, by a person: only a schedule pauses for it.
  tenant_not_operable: (kind) =>
    isOfOneTenant(kind) && (contractOf(kind.operation).operability !== "own_rows" || !isActors(kind)),
  provider_connection_invalid: (kind) =>
    needs("connection_exists")(kind) || needs("connection_verified")(kind),
  write_gate_blocked: needs("write_gate"),
  // Whatever has waited too long.
  execution_prerequisite_invalid: () => true,
};

describe("the contract matrix is complete", () => {
  test("every operation of the catalog has what the matrix needs of it, and is walked by one file", () => {
    expect(Object.keys(subjects).sort()).toEqual([...operationNames].sort());
    expect(Object.values(families).flat().sort()).toEqual([...operationNames].sort());
    const folder = new URL(".", import.meta.url);
    const walked = readdirSync(folder)
      .map((name) => readFileSync(new URL(name, folder), "utf8"))
      .flatMap((text) => [...text.matchAll(/^describeMatrix\("(\w+)"\)/gm)].map(([, family]) => family));
    expect(walked.sort()).toEqual(Object.keys(families).sort());
  });

  test("every reason code has a way that some operation can take", () => {
    expect(Object.keys(denialCases)).toEqual(reasonCodes);
    const taken = new Set(casesOf(operationNames).map(({ code }) => code));
    expect([...taken].sort()).toEqual([...reasonCodes].sort());
  });

  test("every reason that can apply to an operation in a mode has a way to it there, and no other has", () => {
    const differing = kindsOf(operationNames).flatMap((kind) =>
      reasonCodes.flatMap((code) => {
        const isTried = waysOf(kind, code).length > 0;
        const canBe = canApply[code](kind);
        return isTried === canBe
          ? []
          : [`${kind.operation}, ${kind.mode}, ${code}: ${isTried ? "tried" : "not tried"}`];
      }),
    );
    expect(differing).toEqual([]);
    const unasked = operationNames.filter(
      (operation) =>
        !contractOf(operation).authorityModes.includes("system_authority") &&
        waysOf({ operation, mode: "system_authority" }, "system_authority_not_allowed").length === 0,
    );
    expect(unasked).toEqual([]);
  });

  test("whatever an operation can be denied for, it is at every moment, or the case says why it cannot be", () => {
    const gaps = kindsOf(operationNames).flatMap((kind) =>
      reasonCodes.flatMap((code) => {
        const own = waysOf(kind, code);
        const met = new Set(own.flatMap((way) => way.moments));
        const isExcused = own.some(({ because }) => because !== undefined);
        return own.length === 0 || isExcused || met.size === moments.length
          ? []
          : [`${kind.operation}, ${kind.mode}, ${code}: only ${[...met].join(", ")}`];
      }),
    );
    expect(gaps).toEqual([]);
  });

  test("every condition that the catalog names has a way of not holding", () => {
    const named = new Set<Prerequisite>(operationNames.flatMap((name) => contractOf(name).prerequisites));
    const bare = { ...contractOf("inventory.sync"), prerequisites: [] };
    const tried = [...named].filter((prerequisite) =>
      Object.values<readonly Denial[]>(denialCases)
        .flat()
        .some(
          ({ concerns }) =>
            concerns({ ...bare, prerequisites: [prerequisite] }, "actor_bound") &&
            !concerns(bare, "actor_bound"),
        ),
    );
    expect(tried).toEqual([...named]);
  });
});

describe("what the queue runs", () => {
  /** What affects no tenant. Whoever adds to it says why it needs no gate. */
  const maintenance = ["schedule_tick", "retention"];
  const days = { RETENTION_NOTIFICATION_DAYS: 0, RETENTION_RUN_DAYS: 0, RETENTION_BACKUP_DAYS: 0 };

  test("is the operations of the catalog and the maintenance on the list", () => {
    const { worker } = installation;
    expect(Object.keys(makeTaskList(worker)).sort()).toEqual([...operationNames].sort());
    expect(Object.keys(makeMaintenanceTasks(worker, { REQUEST_EXPIRY_HOURS: 24, ...days }))).toEqual(
      maintenance,
    );
    const given = readSources().flatMap(({ path, text }) =>
      /^(jobs|server|bin)\//.test(path)
        ? [...text.matchAll(/\btaskList: (.*),$/gm)].map(([, list]) => list)
        : [],
    );
    expect(given).toContain("{ ...makeTaskList(deps), ...makeMaintenanceTasks(deps, config) }");
    for (const list of given)
      expect(list?.replaceAll(/(\.\.\.)?\bmake(Task|MaintenanceTasks)(List)?\([\w, ]+\)/g, "")).toMatch(
        /^[{}, ]*$/,
      );
  });

  test.each(operationNames)("%s looks for its run before anything else", async (task) => {
    const { db, worker } = installation;
    const job = await addRawJob(db, { task, payload: { runId: uuidv7() } });
    await drainQueue(worker);
    expect(await listRefusals(db, job.id)).toMatchObject([{ outcome: "denied" }]);
    expect(await listJobs(db)).toEqual([]);
  });
});
