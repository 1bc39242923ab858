import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { accounts, steps } from "../../server/demo/tour.ts";
import { accountsForReadme, tourForReadme, welcome } from "../../server/demo/tourText.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("the README tells the accounts and the tour as they are", () => {
  expect(blockOf("accounts")).toBe(accountsForReadme());
  expect(blockOf("tour")).toBe(tourForReadme());
});

test("the demo prints the accounts and every step of the tour", () => {
  const printed = welcome({ address: "http://localhost:3000", databaseUrl: "postgres://x" });
  for (const { person } of accounts) expect(printed).toContain(person.email);
  for (const [index, { title, acts }] of steps.entries()) {
    expect(printed).toContain(`${index + 1}. ${title}`);
    for (const { where, does, sees } of acts) expect(printed).toContain(`${where}: ${does} – ${sees}.`);
  }
});

/** What stands between the marks of that name. */
function blockOf(name: string): string | undefined {
  return new RegExp(`<!-- ${name} -->\\n\\n(.*?)\\n\\n<!-- /${name} -->`, "s").exec(readme)?.[1];
}
