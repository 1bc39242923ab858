import type { Server } from "node:http";

/** How often (milliseconds) connections are closed on which the last answer has gone out. */
const closeIdleEvery = 50;

/**
 * Stops a server as its callers would want it: no new connections, every request that has come in gets its
 * answer, and a connection kept alive is closed after it. True when all ended within that time (milliseconds).
 */
export async function drain(server: Server, within: number): Promise<boolean> {
  // Callers that keep a connection are told not to ask on it again.
  server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
  const closed = new Promise<true>((resolve) => server.close(() => resolve(true)));
  const closing = setInterval(() => server.closeIdleConnections(), closeIdleEvery);
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), within);
  const drained = await Promise.race([closed, late.promise]);
  clearInterval(closing);
  clearTimeout(timer);
  return drained;
}
