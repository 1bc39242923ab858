import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { freePort } from "../../server/db/embedded.ts";
import { makeDrain } from "../../server/drain.ts";
import { useDatabase } from "../helpers/database.ts";
import { openSession, until, untilSessionsWait } from "../helpers/interleaving.ts";
import { type ProductProcess, startProduct } from "../helpers/productProcess.ts";

const database = useDatabase();
let web: ProductProcess | undefined;
afterEach(async () => {
  web?.child.kill("SIGKILL");
  await web?.ended;
});

test("told to stop, web answers what has come in, takes nothing new, closes idle connections and ends with 0", async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  web = startProduct("server/index.ts", { DATABASE_URL: database.url, PORT: String(port) });
  await web.says("web is listening");
  const first = await fetch(`${url}/sign-in`);
  const cookie = first.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  expect(cookie).not.toBe("");
  const agent = new Agent({ keepAlive: true });
  await answerOn(`${url}/health/live`, {}, agent);
  expect(Object.keys(agent.freeSockets)).toHaveLength(1);

  const session = await openSession(database.url);
  await session.query("begin; lock table sessions in access exclusive mode");
  const slow = answerOn(`${url}/sign-in`, { cookie }, new Agent({ keepAlive: true }));
  await untilSessionsWait(database.db, 1);
  const ended = web.stop();
  await web.says("web stopping: answering what was asked, taking nothing new");
  await until(() => isRefused(`${url}/health/live`));
  await until(async () => Object.keys(agent.freeSockets).length === 0);

  await session.query("rollback");
  await session.end();
  expect((await slow).statusCode).toBe(200);
  expect(await ended).toBe(0);
});

test("a connection kept alive does not keep it once its answer has gone out", async () => {
  const doors: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/slow") doors.push(() => response.end("slow"));
    else response.end("fast");
  }).listen(0, "127.0.0.1");
  const drain = makeDrain(server);
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const slow = answerOn(`${url}/slow`, {}, new Agent({ keepAlive: true }));
  await until(async () => doors.length === 1);
  const drained = drain(20_000);
  expect(server.listening).toBe(false);
  for (const open of doors) open();
  expect((await slow).statusCode).toBe(200);
  expect(await drained).toBe(true);
});

test("nor does one on which nothing was ever asked, as browsers open them in advance", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  const drain = makeDrain(server);
  await once(server, "listening");
  const address = server.address();
  const arrived = once(server, "connection");
  const unused = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  await arrived;
  const closed = once(unused, "close");
  expect(await drain(20_000)).toBe(true);
  await closed;
});

test("a request that never ends does not keep it", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  const drain = makeDrain(server);
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const arrived = once(server, "request");
  const never = answerOn(url, {}, new Agent()).catch(() => undefined);
  await arrived;
  expect(await drain(20)).toBe(false);
  server.closeAllConnections();
  expect(await never).toBeUndefined();
});

/** The answer with its body read, so that the connection is free again. */
function answerOn(url: string, headers: Record<string, string>, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent }, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(answer));
    }).once("error", reject);
  });
}

async function isRefused(url: string): Promise<boolean> {
  try {
    await fetch(url, { headers: { connection: "close" } });
    return false;
  } catch {
    return true;
  }
}
