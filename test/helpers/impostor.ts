import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** A Graph that takes any token and says it is another directory's. Listens on a free port. */
export async function startImpostor(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ value: [{ id: randomUUID(), displayName: "Somebody else" }] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The impostor has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
