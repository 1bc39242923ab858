import request, { type Response } from "supertest";
import { type AppConfig, createApp } from "../../server/app.ts";
import type { Db } from "../../server/db/database.ts";
import { makeLog } from "../../server/log.ts";
import { password } from "./factories.ts";
import { credentialKeys } from "./queue.ts";

export type TestApp = ReturnType<typeof createApp>;
/** A browser: keeps its cookies from one request to the next. */
export type Browser = ReturnType<typeof request.agent>;

/** The real app on the test's database; of its log it prints only what went wrong. */
export function makeApp(
  db: Db,
  config: Partial<AppConfig> = {},
  log: { write(line: string): void } = process.stderr,
  level: "error" | "trace" = "error",
): TestApp {
  return createApp({
    db,
    logger: makeLog({ LOG_LEVEL: level }, "web", log),
    config: {
      NODE_ENV: "test",
      SESSION_SECRET: "a-secret-that-only-tests-use-0123456789",
      REQUEST_EXPIRY_HOURS: 24,
      CREDENTIAL_KEYS: credentialKeys,
      ...config,
    },
  });
}

/** A browser of someone who signed in through the form. Throws when they were not let in. */
export async function signIn(app: TestApp, email: string, given = password): Promise<Browser> {
  const browser = request.agent(app);
  const answer = await submit(browser, "/sign-in", "/sign-in", { email, password: given });
  if (answer.status !== 303) throw new Error(`${email} was not let in: ${answer.status}`);
  return browser;
}

/** Fetches the page that holds a form, then sends the form with that page's token. */
export async function submit(
  browser: Browser,
  page: string,
  action: string,
  fields: Record<string, string> = {},
): Promise<Response> {
  const shown = await browser.get(page).redirects(1);
  return browser
    .post(action)
    .type("form")
    .send({ _csrf: tokenIn(shown), ...fields });
}

/** The token of the first form on a page. */
export function tokenIn(page: Response): string {
  const token = /name="_csrf" value="([0-9a-f]+)"/.exec(page.text)?.[1];
  if (token === undefined) throw new Error(`There is no form on ${page.request.url}.`);
  return token;
}
