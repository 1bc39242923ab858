import type { Server } from "node:http";
import type { Socket } from "node:net";

/** How often (milliseconds) connections are closed on which nothing is under way. */
const closeIdleEvery = 50;

/** Stops a server. True when all ended within that time (milliseconds). */
export type Drain = (within: number) => Promise<boolean>;

/**
 * How to stop a server as its callers would want it: no new connections, every request that has come in gets its
 * answer, and a connection kept alive is closed after it. To be asked for before it has connections: one on which
 * nothing was ever asked, as browsers open them in advance, is none that Node calls idle.
 */
export function makeDrain(server: Server): Drain {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  const closeUnused = () => {
    server.closeIdleConnections();
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
  return async (within) => {
    // Callers that keep a connection are told not to ask on it again.
    server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
    const closed = new Promise<true>((resolve) => server.close(() => resolve(true)));
    const closing = setInterval(closeUnused, closeIdleEvery);
    const late = Promise.withResolvers<false>();
    const timer = setTimeout(() => late.resolve(false), within);
    const drained = await Promise.race([closed, late.promise]);
    clearInterval(closing);
    clearTimeout(timer);
    return drained;
  };
}
