import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { listMembers, membersPerPage } from "../../../server/domain/people/members.ts";
import { useDatabase } from "../../helpers/database.ts";
import { addMember, createMember, createTenant, createWorkspace } from "../../helpers/factories.ts";

const database = useDatabase();

test("members come by name, a page at a time, each once", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const elsewhere = await createWorkspace(db);
  await createMember(db, { workspace: elsewhere, role: "owner", name: "Aaron Elsewhere" });
  for (let n = membersPerPage + 4; n >= 0; n -= 1)
    await createMember(db, { workspace, role: "readonly", name: `Member ${String(n).padStart(3, "0")}` });

  const first = await listMembers(db, { workspaceId: workspace.id, search: null, after: null });
  const second = await listMembers(db, { workspaceId: workspace.id, search: null, after: first.next });
  expect(first.members).toHaveLength(membersPerPage);
  expect(second.members).toHaveLength(5);
  expect(second.next).toBeNull();
  const names = [...first.members, ...second.members].map(({ name }) => name);
  expect(names).toEqual([...names].sort());
});

test("a page after somebody who is no member here is as empty as one after nobody", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  await createMember(db, { workspace, role: "owner", name: "Zoe" });
  const stranger = await createMember(db, {
    workspace: await createWorkspace(db),
    role: "owner",
    name: "Ada",
  });
  for (const after of [stranger.id, randomUUID()]) {
    const page = await listMembers(db, { workspaceId: workspace.id, search: null, after });
    expect(page).toEqual({ members: [], next: null });
  }
});

test("a search finds parts of names and addresses; special characters are only themselves", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  await createMember(db, { workspace, role: "owner", name: "Olivia Brandt", email: "o%b@northwind.example" });
  await createMember(db, { workspace, role: null, name: "Omar Haddad" });
  const find = async (search: string) => {
    const { members } = await listMembers(db, { workspaceId: workspace.id, search, after: null });
    return members.map(({ name }) => name);
  };
  expect(await find("BRANDT")).toEqual(["Olivia Brandt"]);
  expect(await find("northwind")).toEqual(["Olivia Brandt"]);
  expect(await find("%")).toEqual(["Olivia Brandt"]);
  expect(await find("nobody")).toEqual([]);
});

test("a listed member shows the first of their live roles and how many there are", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const omar = await createMember(db, { workspace, role: "operator" });
  for (const name of ["Adatum", "Contoso", "Litware"])
    await addMember(db, {
      workspace,
      user: omar,
      role: "manager",
      tenant: await createTenant(db, { workspace, name }),
    });
  await addMember(db, { workspace, user: omar, role: "owner", expiresAt: new Date(Date.now() - 1000) });
  const { members } = await listMembers(db, { workspaceId: workspace.id, search: null, after: null });
  expect(members).toMatchObject([
    {
      state: "active",
      roleCount: 4,
      roles: [
        { name: "Operator", tenantName: null },
        { name: "Manager", tenantName: "Adatum" },
        { name: "Manager", tenantName: "Contoso" },
      ],
    },
  ]);
});
