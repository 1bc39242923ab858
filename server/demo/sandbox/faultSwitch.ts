import type { Request, Response } from "express";
import { answerWithFault } from "./faultAnswers.ts";
import type { Fault } from "./faults.ts";

/** Where a request is: at which endpoint, and whether what it asks for has been done. */
export type Moment = Pick<Fault, "on" | "after">;

export type FaultSwitch = {
  /** Replaces all faults and lets go of every request that is held back. */
  set(faults: Fault[]): void;
  /** True when a fault has answered the request, false when it may go on. */
  intercept(moment: Moment, request: Request, response: Response): Promise<boolean>;
};

type ArmedFault = { fault: Fault; seen: number; hits: number };

/** The faults of one directory. */
export function makeFaultSwitch(): FaultSwitch {
  let armed: ArmedFault[] = [];
  let release = Promise.withResolvers<void>();
  return {
    set(faults) {
      armed = faults.map((fault) => ({ fault, seen: 0, hits: 0 }));
      release.resolve();
      release = Promise.withResolvers<void>();
    },
    async intercept(moment, request, response) {
      const released = release.promise;
      const present = armed;
      for (const candidate of present) {
        // While one was held back, the others may have been replaced.
        if (armed !== present) return false;
        if (!strikes(candidate, moment, request)) continue;
        if (await answerWithFault(candidate.fault, released, request, response)) return true;
      }
      return false;
    },
  };
}

function strikes(armed: ArmedFault, { on, after }: Moment, { method, originalUrl }: Request): boolean {
  const { fault } = armed;
  if (fault.on !== on || fault.after !== after) return false;
  if (fault.method !== undefined && fault.method !== method) return false;
  if (fault.path !== undefined && !originalUrl.includes(fault.path)) return false;
  armed.seen += 1;
  if (armed.seen <= fault.skip || armed.hits === fault.times) return false;
  armed.hits += 1;
  return true;
}
