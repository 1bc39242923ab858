import { expect, test } from "@jest/globals";
import { findDenied } from "../../server/domain/operations/recheckRuns.ts";
import { stateOf } from "../../server/domain/roles/planRoleChange.ts";
import { getRole as getKept } from "../../server/domain/roles/roles.ts";
import { makeApp, signIn, submit } from "../helpers/app.ts";
import { getRole } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { seedNorthwind } from "../helpers/northwind.ts";
import { beginRestore, openWriting } from "../helpers/restores.ts";
import { ownRole } from "../helpers/roles.ts";

const installation = useInstallation();

test("an edit is answered once the change on its way to Microsoft has ended, and its notice says how", async () => {
  const { db, control, sandbox } = installation;
  const world = await seedNorthwind(installation, { policies: 0 });
  const { directoryId } = world.contoso;
  const run = await beginRestore(installation, world);
  const { id } = await getRole(db, world.northwind, ownRole);
  const role = await getKept(db, world.northwind.id, id);
  await control.setFaults(directoryId, [{ kind: "hold", method: "POST" }]);
  const arrived = sandbox.requests.next(({ method, kind }) => method === "POST" && kind === "graph");
  const call = follow(openWriting(installation, run).create("first"));
  await arrived;

  const browser = await signIn(makeApp(db), world.olivia.email);
  const page = `/admin/roles/${id}`;
  // All that the role keeps is one right.
  const fields = { name: role.name, based_on: stateOf(role), capability: "operations.view" };
  const asked = await browser.get(`${page}/change?${new URLSearchParams(fields)}`);
  expect(asked.text).toContain("rights from Restore desk will block 1 running run in 1 tenant.");
  const answer = follow(submit(browser, `${page}/edit`, `${page}/change`, fields));
  await until(async () => (await findDenied(db, [run])).has(run.id));
  expect({ call: call.done, answer: answer.done }).toEqual({ call: false, answer: false });
  await control.clearFaults(directoryId);
  expect((await answer.result).status).toBe(303);
  expect((await browser.get("/admin/roles")).text).toContain(
    "1 change already on the way to Microsoft was waited for: 1 had been made. Nothing further is sent under authority that no longer holds.",
  );
});
