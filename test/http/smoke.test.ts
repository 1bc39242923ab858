import { expect, test } from "@jest/globals";
import request from "supertest";
import { makeApp, signIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createWorkspace } from "../helpers/factories.ts";
const database = useDatabase();
test("smoke", async () => {
  const app = makeApp(database.db);
  const workspace = await createWorkspace(database.db);
  const user = await createMember(database.db, { workspace, role: "owner" });
  const r = await request(app).get("/admin/operations?x=1");
  expect(r.status).toBe(303);
  expect(r.headers.location).toBe("/sign-in?return_to=%2Fadmin%2Foperations%3Fx%3D1");
  const b = await signIn(app, user.email);
  const x = await b.get("/admin/operations"); console.log(x.text);
  const nope = await b.get("/admin/operations/nope");
  console.log(nope.status, nope.headers, nope.text);
});
