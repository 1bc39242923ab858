import { expect, test } from "@jest/globals";
import { findDenied } from "../../server/domain/operations/recheckRuns.ts";
import { findMember } from "../../server/domain/people/members.ts";
import { stateOf } from "../../server/domain/roles/planRoleChange.ts";
import { getRole as getKept } from "../../server/domain/roles/roles.ts";
import { makeApp, signIn, submit } from "../helpers/app.ts";
import { getRole } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { beginRestore, openWriting } from "../helpers/restores.ts";
import { ownRole } from "../helpers/roles.ts";

/**
 * Every page that takes rights away answers once the change on its way to Microsoft has ended, and says how. What a
 * schedule asks for never writes there, so its pages have nothing to wait for.
 */

const installation = useInstallation();

type Form = { action: string; fields: Record<string, string>; asks: string };

/** What the form of each page sends, and the address that asks before. */
const forms: Record<string, (world: Northwind) => Promise<Form>> = {
  async "an edit of a role"({ northwind }) {
    const { db } = installation;
    const { id } = await getRole(db, northwind, ownRole);
    const role = await getKept(db, northwind.id, id);
    // All that the role keeps is one right.
    const fields = { name: role.name, based_on: stateOf(role), capability: "operations.view" };
    const action = `/admin/roles/${id}/change`;
    return { action, fields, asks: `${action}?${new URLSearchParams(fields)}` };
  },
  async "another role for a member"(world) {
    const { id: role } = await getRole(installation.db, world.northwind, "readonly");
    const action = `${await assignmentOf(world)}/role`;
    return { action, fields: { role }, asks: `${action}?role=${role}` };
  },
  async "the end of an assignment"(world) {
    const action = `${await assignmentOf(world)}/end`;
    return { action, fields: {}, asks: action };
  },
  async "a member's removal"({ omar }) {
    const action = `/admin/members/${omar.id}/removal`;
    return { action, fields: { name: omar.name }, asks: action };
  },
  async "a tenant's suspension"({ contoso }) {
    const action = `/admin/tenants/${contoso.id}/lifecycle`;
    return { action, fields: { to: "suspended" }, asks: `${action}?to=suspended` };
  },
  async "another credential"({ contoso }) {
    const action = `/admin/tenants/${contoso.id}/connection`;
    const credential = { client_id: crypto.randomUUID(), kind: "secret", secret: "another-secret" };
    return { action, fields: credential, asks: action };
  },
};

test.each(Object.entries(forms))("%s", async (_name, formOf) => {
  const { db, control, sandbox } = installation;
  const world = await seedNorthwind(installation, { policies: 0 });
  const { directoryId } = world.contoso;
  const run = await beginRestore(installation, world);
  await control.setFaults(directoryId, [{ kind: "hold", method: "POST" }]);
  const arrived = sandbox.requests.next(({ method, kind }) => method === "POST" && kind === "graph");
  const call = follow(openWriting(installation, run).create("first"));
  await arrived;

  const browser = await signIn(makeApp(db), world.olivia.email);
  const { action, fields, asks } = await formOf(world);
  expect((await browser.get(asks)).text).toContain("will block 1 running run in 1 tenant.");
  const answer = follow(submit(browser, asks, action, fields));
  await until(async () => (await findDenied(db, [run])).has(run.id));
  expect({ call: call.done, answer: answer.done }).toEqual({ call: false, answer: false });
  await control.clearFaults(directoryId);
  const { status, headers } = await answer.result;
  expect(status).toBe(303);
  expect((await browser.get(headers.location ?? "").redirects(2)).text).toContain(
    "1 change already on the way to Microsoft was waited for: 1 had been made. Nothing further is sent under authority that no longer holds.",
  );
});

async function assignmentOf({ northwind, omar }: Northwind): Promise<string> {
  const member = await findMember(installation.db, northwind.id, omar.id);
  return `/admin/members/${omar.id}/assignments/${member?.assignments[0]?.id}`;
}
