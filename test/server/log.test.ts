import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("a process whose log nobody reads any more can still end", async () => {
  const program = `
    import { makeLog } from "./server/log.ts";
    const log = makeLog({ LOG_LEVEL: "info" }, "worker");
    process.on("SIGTERM", () => {
      log.info("stopping");
      log.info("stopped");
      process.exit(7);
    });
    setInterval(() => {}, 1_000);
    process.send("ready");
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  child.stdout?.destroy();
  await once(child, "message");
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
  expect(await exit).toEqual([7, null]);
  clearTimeout(kill);
});
