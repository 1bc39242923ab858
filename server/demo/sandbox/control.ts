import express, { type NextFunction, type Request, type Response, type Router } from "express";
import { z } from "zod";
import type { PolicyType } from "../../provider/policyTypes.ts";
import {
  appDefinition,
  type Directory,
  directoryDefinition,
  extrasDefinition,
  regeneratePolicies,
} from "./directories.ts";
import { fault } from "./faults.ts";
import { givenPolicy, takePolicy } from "./givenPolicies.ts";
import { groupDefinition } from "./groups.ts";
import { isPolicyType } from "./policies.ts";
import type { SandboxState } from "./state.ts";

const faultsBody = z.object({ faults: z.array(fault) });
const countBody = z.object({ count: z.int().min(0).max(100_000) });

/**
 * The control path: how a test or the demo changes the world that the product sees. Loopback only, since it
 * can replace secrets by ones of its caller's choosing.
 */
export function makeControlRouter(state: SandboxState): Router {
  const { directories, log } = state;
  const router = express.Router();
  /** Answers with what the work gives back, or with nothing where that is nothing. */
  const on = (work: (directory: Directory, request: Request) => object | undefined) => {
    return (request: Request, response: Response): Response => {
      const directory = directories.find(String(request.params.id));
      if (directory === undefined) return response.status(404).json({ error: "No such directory" });
      const found = work(directory, request);
      return found === undefined ? response.status(204).end() : response.json(found);
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
  router.put("/directories/:id/extras", on(setExtras));
  router.put("/directories/:id/groups/:groupId", on(putGroup));
  router.delete("/directories/:id/groups/:groupId", on(removeGroup));
  const policies = "/directories/:id/policies/:type";
  router.get(policies, on(listPolicies));
  router.get(`${policies}/:policyId`, on(getPolicy));
  router.put(
    `${policies}/:policyId`,
    on((directory, request) => putPolicy(state, directory, request)),
  );
  router.delete(`${policies}/:policyId`, on(removePolicy));
  return router;
}

function requireLoopback(request: Request, response: Response, next: NextFunction): void {
  const address = request.socket.remoteAddress ?? "";
  if (address === "::1" || /^(::ffff:)?127\./.test(address)) next();
  else response.status(403).json({ error: "The control path answers loopback only" });
}

function setFaults(directory: Directory, request: Request): undefined {
  directory.faults.set(faultsBody.parse(request.body).faults);
}

function clearFaults(directory: Directory): undefined {
  directory.faults.set([]);
}

function putApp(directory: Directory, request: Request): undefined {
  const app = appDefinition.parse({ ...request.body, clientId: request.params.clientId });
  directory.apps.set(app.clientId, app);
}

function revokeTokens(directory: Directory): undefined {
  directory.tokenGeneration += 1;
}

function setPolicies(directory: Directory, request: Request): undefined {
  const { count } = countBody.parse(request.body);
  const { directoryId, extras, groups } = directory;
  directory.policies = regeneratePolicies(directoryId, count, extras, [...groups.values()]);
}

function setExtras(directory: Directory, request: Request): undefined {
  const extras = extrasDefinition.parse(request.body);
  const generated = regeneratePolicies(directory.directoryId, 0, extras, [...directory.groups.values()]);
  for (const type of Object.keys(extras).filter(isPolicyType)) directory.policies[type] = generated[type];
  directory.extras = { ...directory.extras, ...extras };
}

function putGroup(directory: Directory, request: Request): undefined {
  const group = groupDefinition.parse({ ...request.body, id: request.params.groupId });
  directory.groups.set(group.id, group);
}

function removeGroup(directory: Directory, request: Request): undefined {
  directory.groups.delete(String(request.params.groupId));
}

function listPolicies(directory: Directory, request: Request): object {
  const policies = [...directory.policies[typeIn(request)]].map(([id, policy]) => ({ id, ...policy }));
  return { policies };
}

function getPolicy(directory: Directory, request: Request): object {
  const id = String(request.params.policyId);
  const policy = directory.policies[typeIn(request)].get(id);
  return { policy: policy === undefined ? null : { id, ...policy } };
}

function putPolicy(state: SandboxState, directory: Directory, request: Request): undefined {
  const type = typeIn(request);
  const id = String(request.params.policyId);
  directory.policies[type].set(id, takePolicy(state, type, id, givenPolicy.parse(request.body)));
}

function removePolicy(directory: Directory, request: Request): undefined {
  directory.policies[typeIn(request)].delete(String(request.params.policyId));
}

function typeIn(request: Request): PolicyType {
  return z.string().refine(isPolicyType).parse(request.params.type);
}
