import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "@jest/globals";
import { makeSandboxClient } from "../../server/demo/sandbox/client.ts";
import { generatePolicies } from "../../server/demo/sandbox/policies.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import { obtainToken } from "./sandboxCalls.ts";
import { clientId, never, readAllPages, readRoles, refusalOf, secret, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();

describe("The sandbox", () => {
  test("harms only the directory whose faults were set, until they are cleared", async () => {
    const harmed = await openDirectory();
    const other = await openDirectory();
    await harmed.setFaults({ kind: "status", status: 400 });
    expect((await refusalOf(harmed.openReader().readOrganization(never))).code).toBe("rejected");
    expect((await other.openReader().readOrganization(never)).directoryId).toBe(other.directoryId);
    await harmed.control.clearFaults(harmed.directoryId);
    expect((await harmed.openReader().readOrganization(never)).directoryId).toBe(harmed.directoryId);
  });

  test("shows added, replaced and removed policies, and another number of them", async () => {
    const { directoryId, control, openReader } = await openDirectory({ policies: 0 });
    const type = "deviceConfigurations";
    const names = async (): Promise<string[]> =>
      (await readAllPages(openReader(), type)).flatMap((page) => page.policies.map((policy) => policy.name));
    const payload = { "@odata.type": "#microsoft.graph.windows10GeneralConfiguration" };
    await control.putPolicy(directoryId, type, "a", { ...payload, displayName: "First" });
    expect(await names()).toEqual(["First"]);
    await control.putPolicy(directoryId, type, "a", { ...payload, displayName: "Second" });
    expect(await names()).toEqual(["Second"]);
    await control.removePolicy(directoryId, type, "a");
    expect(await names()).toEqual([]);
    await control.setPolicies(directoryId, 10);
    expect(await names()).toHaveLength(4);
  });

  test("refuses a token that has not been issued by it", async () => {
    const directory = await openDirectory();
    const forged = `${encoded({ alg: "none" })}.${encoded({ tid: directory.directoryId, roles: readRoles })}.`;
    const headers = { authorization: `Bearer ${forged}` };
    const response = await fetch(`${directory.sandbox.url}/v1.0/organization`, { headers });
    expect(response.status).toBe(401);
  });

  test("refuses writes without the permission to write", async () => {
    const directory = await openDirectory();
    const token = await obtainToken(directory.sandbox.url, directory.directoryId);
    const headers = { authorization: `Bearer ${token}` };
    const address = `${directory.sandbox.url}/beta/deviceManagement/deviceConfigurations`;
    expect((await fetch(address, { method: "POST", headers })).status).toBe(403);
    expect((await fetch(address, { headers })).status).toBe(200);
  });

  test("keeps neither secrets nor tokens in its request log", async () => {
    const directory = await openDirectory();
    await directory.openReader().readOrganization(never);
    await directory
      .openReader({ clientSecret: "wrong" })
      .readGrantedAccess(never)
      .catch(() => undefined);
    const records = await directory.control.requests(directory.directoryId);
    expect(records.map((record) => [record.kind, record.status])).toEqual([
      ["token", 200],
      ["graph", 200],
      ["token", 401],
    ]);
    expect(JSON.stringify(records)).not.toMatch(/eyJ|client_secret|wrong|kept~/);
  });

  test("says what is wrong with a fault it does not know", async () => {
    const { sandbox, directoryId } = await openDirectory();
    const response = await fetch(`${sandbox.url}/_sandbox/directories/${directoryId}/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ faults: [{ kind: "earthquake" }] }),
    });
    expect(response.status).toBe(400);
  });

  test("runs as a process of its own that says its address and stops when told to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sandbox-"));
    const file = join(folder, "directories.json");
    const directoryId = crypto.randomUUID();
    const app = { clientId, secret, secretState: "valid", roles: readRoles };
    await writeFile(file, JSON.stringify([{ directoryId, displayName: "Adatum", apps: [app] }]));
    const child = spawn(process.execPath, ["server/demo/sandbox/main.ts", "--directories", file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = await once(createInterface(child.stdout), "line");
      const { url } = JSON.parse(line);
      const provider = makeGraphProvider({ graphUrl: url, loginUrl: url });
      const reader = provider.openReader({ directoryId, clientId, proof: { kind: "secret", secret } });
      expect(await reader.readOrganization(never)).toEqual({ directoryId, displayName: "Adatum" });
      expect(await makeSandboxClient(url).requests(directoryId)).toHaveLength(2);
    } finally {
      child.kill("SIGTERM");
      await rm(folder, { recursive: true });
    }
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
});

describe("Generated policies", () => {
  test("are the same for the same seed and differ for another", () => {
    expect(generatePolicies("north", 40)).toEqual(generatePolicies("north", 40));
    expect(generatePolicies("north", 40)).not.toEqual(generatePolicies("south", 40));
  });

  test("are as many as asked for, with ids and names of their own", () => {
    const policies = Object.values(generatePolicies("north", 5_000)).flat();
    expect(policies).toHaveLength(5_000);
    expect(new Set(policies.map((policy) => policy.id)).size).toBe(5_000);
    expect(new Set(policies.map((policy) => policy.displayName ?? policy.name)).size).toBe(5_000);
  });
});

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
