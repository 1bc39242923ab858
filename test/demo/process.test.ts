import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { freePort } from "../../server/db/embedded.ts";
import { removeEmbedded } from "../../server/db/embeddedPlace.ts";
import { type DemoProcess, startDemoProcess } from "../helpers/demoProcess.ts";
import { until } from "../helpers/interleaving.ts";

const ready = "Ctrl-C stops everything";
let data: string;
const started: DemoProcess[] = [];

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), "countersign-demo-"));
  chmodSync(data, 0o755);
});

afterEach(async () => {
  for (const demo of started.splice(0)) {
    try {
      demo.interrupt();
    } catch {
      // It has ended already.
    }
    await demo.ended;
  }
});

afterAll(() => {
  removeEmbedded(join(data, "postgres"));
  rmSync(data, { recursive: true, force: true });
});

function start(port: number, ...flags: string[]): DemoProcess {
  const demo = startDemoProcess({ data, port, flags });
  started.push(demo);
  return demo;
}

test("it starts, says where to go, and Ctrl-C stops every part in order", async () => {
  const port = await freePort();
  const began = performance.now();
  const demo = start(port);
  await demo.says(ready);
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(demo.printed()).toContain(`http://localhost:${port}`);
  expect(demo.printed()).toContain("olivia@northwind.example");
  expect(await statusOf(port)).toBe(200);
  expect(statSync(join(data, "secrets.json")).mode & 0o777).toBe(0o600);

  demo.interrupt();
  expect(await demo.ended).toBe(0);
  expect(stopsIn(demo.printed())).toEqual(["web", "worker", "sandbox", "PostgreSQL"]);
  expect(await statusOf(port)).toBeUndefined();
  expect(existsSync(join(data, "demo.pid"))).toBe(false);
  expect(warningsIn("worker")).toEqual([]);
  expect(warningsIn("web")).toEqual([]);
});

test("started again it keeps its data; told to stop alone, it stops its children too", async () => {
  const port = await freePort();
  const demo = start(port);
  await demo.says(ready);
  expect(demo.printed()).toContain("It has its data already.");

  const another = start(await freePort());
  expect(await another.ended).toBe(1);
  expect(another.printed()).toMatch(/^A demo is already running on .* \(process \d+\)\..*\n$/);

  process.kill(demo.pid, "SIGTERM");
  expect(await demo.ended).toBe(0);
  expect(stopsIn(demo.printed())).toEqual(["web", "worker", "sandbox", "PostgreSQL"]);
});

test("a taken port is said before anything starts", async () => {
  const squatter = createServer();
  const port = await new Promise<number>((resolve) => {
    squatter.listen(0, "127.0.0.1", () => {
      const address = squatter.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  try {
    const demo = start(port);
    expect(await demo.ended).toBe(1);
    expect(demo.printed()).toBe(`Port ${port} is taken. Choose another: PORT=${port + 1} npm run demo\n`);
  } finally {
    squatter.close();
  }
});

test("a part that dies ends the demo, with how it went", async () => {
  const demo = start(await freePort());
  await demo.says(ready);
  process.kill(await pidOf("worker"), "SIGKILL");
  expect(await demo.ended).toBe(1);
  expect(demo.printed()).toContain("The demo ends: worker ended with SIGKILL. It said:");
  expect(stopsIn(demo.printed())).toContain("PostgreSQL");
});

test("when it is killed its parts end by themselves, and the next start goes on", async () => {
  const port = await freePort();
  const demo = start(port);
  await demo.says(ready);
  const worker = await pidOf("worker");
  process.kill(demo.pid, "SIGKILL");
  await until(async () => !isAlive(worker) && (await statusOf(port)) === undefined);

  const next = start(port, "--without-worker");
  await next.says(ready);
  expect(next.printed()).toContain("No worker: what is requested stays queued.");
  next.interrupt();
  expect(await next.ended).toBe(0);
  expect(stopsIn(next.printed())).toEqual(["web", "sandbox", "PostgreSQL"]);
});

test("Ctrl-C while it starts stops what has started", async () => {
  const demo = start(await freePort(), "--fresh");
  await demo.says("PostgreSQL is running");
  demo.interrupt();
  expect(await demo.ended).toBe(0);
  expect(demo.printed()).toContain("Stopped before it was ready.");
  expect(stopsIn(demo.printed())).toContain("PostgreSQL");
});

test("secrets that do not fit the data are said, and --fresh makes new ones", async () => {
  const demo = start(await freePort());
  await demo.says(ready);
  demo.interrupt();
  await demo.ended;
  rmSync(join(data, "secrets.json"));

  const unfit = start(await freePort());
  expect(await unfit.ended).toBe(1);
  expect(unfit.printed()).toContain("Start over with --fresh.");

  const fresh = start(await freePort(), "--fresh");
  await fresh.says(ready);
});

test("--help says what there is to choose, without starting anything", async () => {
  const demo = start(await freePort(), "--help");
  expect(await demo.ended).toBe(0);
  for (const word of ["--without-worker", "--fresh", "--verbose", "PORT", "DATABASE_URL"])
    expect(demo.printed()).toContain(word);
});

/** 200 when the web process is ready, undefined when nobody answers. */
async function statusOf(port: number): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
  return answer?.status;
}

function stopsIn(printed: string): string[] {
  return [...printed.matchAll(/^(?:The )?(\w+) (?:process )?has stopped\.$/gm)].map(([, name = ""]) => name);
}

function linesOf(name: string): { level: number; pid: number; msg: string }[] {
  const text = readFileSync(join(data, "logs", `${name}.log`), "utf8");
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** The queue's remark about its pool, at the start, is none of the demo's. */
function warningsIn(name: string): string[] {
  return linesOf(name).flatMap(({ level, msg }) =>
    level >= 40 && !msg.includes("maxPoolSize") ? [msg] : [],
  );
}

/** From its first log line, which the demo may write down a moment after it is ready. */
async function pidOf(name: string): Promise<number> {
  await until(async () => linesOf(name).length > 0);
  const pid = linesOf(name)[0]?.pid;
  if (pid === undefined) throw new Error(`The ${name} process has logged nothing.`);
  return pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
