import express, { type NextFunction, type Request, type Response, type Router } from "express";
import { z } from "zod";
import { appDefinition, type Directory, directoryDefinition, regeneratePolicies } from "./directories.ts";
import { fault } from "./faults.ts";
import { isPolicyType } from "./policies.ts";
import type { SandboxState } from "./state.ts";

const faultsBody = z.object({ faults: z.array(fault) });
const countBody = z.object({ count: z.int().min(0).max(100_000) });
const policyBody = z.object({ id: z.string() }).catchall(z.json());

/**
 * The control path: how a test or the demo changes the world that the product sees. Loopback only, since it
 * can replace secrets by ones of its caller's choosing.
 */
export function makeControlRouter({ directories, log }: SandboxState): Router {
  const router = express.Router();
  const on = (change: (directory: Directory, request: Request) => void) => {
    return (request: Request, response: Response): Response => {
      const directory = directories.find(String(request.params.id));
      if (directory === undefined) return response.status(404).json({ error: "No such directory" });
      change(directory, request);
      return response.status(204).end();
    };
  };

  router.use(requireLoopback, express.json({ limit: "32mb" }));
  router.get("/requests", (request, response) => {
    const directoryId = z.string().optional().parse(request.query.directory);
    response.json({ requests: log.list(directoryId) });
  });
  router.delete("/requests", (_request, response) => {
    log.clear();
    response.status(204).end();
  });
  router.put("/directories/:id", (request, response) => {
    directories.put({ ...directoryDefinition.parse(request.body), directoryId: request.params.id });
    response.status(204).end();
  });
  router.post("/directories/:id/faults", on(setFaults));
  router.delete("/directories/:id/faults", on(clearFaults));
  router.put("/directories/:id/apps/:clientId", on(putApp));
  router.post("/directories/:id/token-revocation", on(revokeTokens));
  router.put("/directories/:id/policies", on(setPolicies));
  router.put("/directories/:id/policies/:type/:policyId", on(putPolicy));
  router.delete("/directories/:id/policies/:type/:policyId", on(removePolicy));
  return router;
}

function requireLoopback(request: Request, response: Response, next: NextFunction): void {
  const address = request.socket.remoteAddress ?? "";
  if (address === "::1" || /^(::ffff:)?127\./.test(address)) next();
  else response.status(403).json({ error: "The control path answers loopback only" });
}

function setFaults(directory: Directory, request: Request): void {
  directory.faults.set(faultsBody.parse(request.body).faults);
}

function clearFaults(directory: Directory): void {
  directory.faults.set([]);
}

function putApp(directory: Directory, request: Request): void {
  const app = appDefinition.parse({ ...request.body, clientId: request.params.clientId });
  directory.apps.set(app.clientId, app);
}

function revokeTokens(directory: Directory): void {
  directory.tokenGeneration += 1;
}

function setPolicies(directory: Directory, request: Request): void {
  const { count } = countBody.parse(request.body);
  directory.policies = regeneratePolicies(directory.directoryId, count);
}

function putPolicy(directory: Directory, request: Request): void {
  const policy = policyBody.parse({ ...request.body, id: request.params.policyId });
  policiesOf(directory, request).set(policy.id, policy);
}

function removePolicy(directory: Directory, request: Request): void {
  policiesOf(directory, request).delete(String(request.params.policyId));
}

function policiesOf(directory: Directory, request: Request) {
  return directory.policies[z.string().refine(isPolicyType).parse(request.params.type)];
}
