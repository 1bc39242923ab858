import { beforeAll, describe, expect, test } from "@jest/globals";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import type { JsonObject, JsonValue } from "../../server/provider/port.ts";
import { addTenant, backUp, listPlan, preview, putDirectory, restore } from "../helpers/backups.ts";
import type { TestTenant } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";
import { type Corpus, type CorpusPolicy, inLots, keyOf, readCorpus, referredTo } from "./corpus.ts";
import { readOnlyIn } from "./readOnly.ts";

/**
 * Policies that people exported from directories of theirs, through the product and back. `POLICY_CORPUS` names
 * the archive; where there is none, there is nothing to check against.
 */
const corpusPath = process.env.POLICY_CORPUS ?? "";
const suite = corpusPath === "" ? describe.skip : describe;
const title = "the policy corpus";

suite(corpusPath === "" ? `${title} (skipped: POLICY_CORPUS names no archive of it)` : title, () => {
  const installation = useInstallation();
  let world: Northwind;
  let corpus: Corpus;
  beforeAll(async () => {
    world = await seedNorthwind(installation, { policies: 0 });
    corpus = readCorpus(corpusPath, installation.worker.provider.model);
  });

  test("is of types the product knows, but for what is named here", () => {
    expect(corpus.policies.length + corpus.unknown.length).toBe(corpus.files);
    expect(corpus.policies.length).toBeGreaterThan(0);
    const kinds = corpus.unknown.map(({ kind }) => kind);
    // The newer compliance policies of Linux are no type of ours.
    expect(kinds).toEqual(["compliancePolicies"]);
  });

  test("comes back equal after it was backed up, deleted and restored, without a read-only property written", async () => {
    const lots = inLots(corpus.policies);
    let compared = 0;
    for (const [index, lot] of lots.entries()) {
      const tenant = index === 0 ? world.contoso : await addTenant(installation, world, `Lot ${index + 1}`);
      await seed(tenant, lot);
      const setId = await backUp(installation, world, typesOf(lot), tenant);
      const before = await backedUp(setId);
      expect(differences(lot, before)).toEqual([]);
      for (const { type, id } of lot) await installation.control.removePolicy(tenant.directoryId, type, id);
      await restoreAll(tenant, setId, lot);
      const after = await backedUp(await backUp(installation, world, typesOf(lot), tenant));
      expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
      for (const [key, normalised] of before)
        expect({ key, normalised: after.get(key) }).toEqual({ key, normalised });
      expect(readOnlyWritten(tenant)).toEqual([]);
      const again = await preview(installation, world, { setId, tenant, types: typesOf(lot) });
      const changing = (await listPlan(installation.db, again)).filter(
        ({ action }) => action !== "unchanged",
      );
      expect(changing).toEqual([]);
      compared += after.size;
    }
    expect(compared).toBe(corpus.policies.length);
  }, 180_000);

  test("is refused where two of it cannot be told apart", async () => {
    const [, ...others] = inLots(corpus.policies);
    const repeated = new Set(others.flat().map(keyOf));
    const alike = corpus.policies.filter((policy) => repeated.has(keyOf(policy)));
    expect(alike.length).toBeGreaterThan(1);
    const tenant = await addTenant(installation, world, "Twins");
    await seed(tenant, alike);
    const setId = await backUp(installation, world, typesOf(alike), tenant);
    // Whether both are in the backup, or one is and both are at the tenant.
    const [first] = await itemsOf(setId);
    for (const chosen of [{}, { itemIds: first === undefined ? [] : [first.id] }]) {
      const planId = await preview(installation, world, { setId, tenant, types: typesOf(alike), ...chosen });
      const plan = await listPlan(installation.db, planId);
      expect(plan.map(({ action }) => action)).toEqual(plan.map(() => "refused"));
      expect(plan.map(({ reason }) => reason).join(" ")).toContain("cannot be told");
    }
  });

  test("holds read-only properties as it was exported: the check for them is one that can fail", () => {
    const found = corpus.policies.filter(
      ({ type, payload }) => readOnlyIn(payload, writtenTo(type)).length > 0,
    );
    expect(found.length).toBeGreaterThan(corpus.policies.length / 2);
  });

  /** With what the policies refer to, which is not what is deleted and restored here. */
  async function seed(tenant: TestTenant, lot: readonly CorpusPolicy[]): Promise<void> {
    const { groups, scopeTags } = referredTo(lot);
    await putDirectory(installation, tenant, {
      keepBodies: true,
      groups: groups.map((id) => ({ id, displayName: `Group ${id}` })),
    });
    const put = installation.control.putPolicy;
    for (const id of scopeTags)
      await put(tenant.directoryId, "roleScopeTags", id, {
        id,
        displayName: `Scope tag ${id}`,
        description: "",
      });
    for (const { type, id, payload } of lot) await put(tenant.directoryId, type, id, payload);
  }

  async function restoreAll(tenant: TestTenant, setId: string, lot: readonly CorpusPolicy[]): Promise<void> {
    const { db } = installation;
    const options = { conditionalAccessState: "as_backed_up" } as const;
    const planId = await preview(installation, world, {
      setId,
      tenant,
      types: typesOf(lot),
      options,
    });
    const plan = await listPlan(db, planId);
    expect(plan.filter(({ action }) => action !== "create")).toEqual([]);
    expect(plan.length).toBe(lot.length);
    await installation.control.clearRequests();
    const runId = await restore(installation, world, planId);
    const failed = (await listPlan(db, planId)).filter(({ result }) => result !== "created");
    expect(failed.map(({ name, result, resultReason }) => ({ name, result, resultReason }))).toEqual([]);
    expect(await getRun(db, runId)).toMatchObject({ outcome: "succeeded", tally: { created: lot.length } });
  }

  function readOnlyWritten(tenant: TestTenant): string[] {
    const writes = installation.sandbox.requests
      .list(tenant.directoryId)
      .filter(({ method, kind, path }) => kind === "graph" && method !== "GET" && !path.endsWith("/$batch"));
    expect(writes.length).toBeGreaterThan(0);
    return writes.flatMap(({ method, path, body }) => {
      const isPolicy =
        method !== "POST" || !/\/[^/]+\/(assign|\w*[aA]ctions\w*|updateDefinitionValues)$/.test(path);
      const isConditionalAccess = path.includes("/conditionalAccess/");
      return readOnlyIn(body, { isPolicy, isConditionalAccess }).map(
        (found) => `${method} ${path}: ${found}`,
      );
    });
  }

  /** The normalised form of every policy of a backup set, by type and match key. */
  async function backedUp(setId: string): Promise<Map<string, JsonObject>> {
    expect(await getRun(installation.db, setId)).toMatchObject({ outcome: "succeeded" });
    return new Map((await itemsOf(setId)).map((item) => [keyOf(item), item.normalised]));
  }

  function itemsOf(
    setId: string,
  ): Promise<{ id: string; type: PolicyType; matchKey: string; normalised: JsonObject }[]> {
    return installation.db.query(
      `select id, type, match_key as "matchKey", normalised from backup_items where set_id = $1 order by id`,
      [setId],
    );
  }

  /** Files whose policy the backup does not hold as it was exported. */
  function differences(lot: readonly CorpusPolicy[], kept: ReadonlyMap<string, JsonObject>): string[] {
    const { normalise } = installation.worker.provider.model;
    return lot.flatMap((policy) => {
      const exported = normalise(policy.type, policy.payload);
      const found = kept.get(keyOf(policy));
      return Object.entries(exported).flatMap(([key, value]) =>
        isIn(value, found?.[key]) ? [] : [`${policy.file}: ${key}`],
      );
    });
  }
});

function typesOf(lot: readonly CorpusPolicy[]): PolicyType[] {
  return [...new Set(lot.map(({ type }) => type))];
}

function writtenTo(type: PolicyType) {
  return { isPolicy: true, isConditionalAccess: type === "conditionalAccessPolicies" };
}

/** Whether everything that was exported is there: the service adds to it. */
function isIn(part: JsonValue, whole: JsonValue | undefined): boolean {
  if (typeof part !== "object" || part === null) return part === whole;
  if (Array.isArray(part))
    return (
      Array.isArray(whole) && part.length === whole.length && part.every((item, n) => isIn(item, whole[n]))
    );
  if (typeof whole !== "object" || whole === null || Array.isArray(whole)) return false;
  return Object.entries(part).every(([key, value]) => isIn(value, whole[key]));
}
