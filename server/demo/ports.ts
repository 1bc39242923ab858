import { once } from "node:events";
import { createServer } from "node:net";
import { Refused } from "./refused.ts";

/** Throws `Refused` when somebody listens on the port, on loopback or on all addresses. */
export async function requireFree(port: number): Promise<void> {
  for (const host of [undefined, "127.0.0.1"]) {
    const probe = createServer();
    probe.listen({ port, host });
    try {
      await once(probe, "listening");
    } catch (error) {
      throw new Refused(
        error instanceof Error && "code" in error && error.code === "EADDRINUSE"
          ? `Port ${port} is taken. Choose another: PORT=${port + 1} npm run demo`
          : `Port ${port} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    probe.close();
    await once(probe, "close");
  }
}
