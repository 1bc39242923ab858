import { expect } from "@jest/globals";
import type { Page } from "playwright-core";
import { type Act, quotedBy, type StepName, steps } from "../../server/demo/tour.ts";
import { expectNoViolations, picture, textOf } from "./visitors.ts";

/** A step of the tour as a test: its number and title, and what walks it. `act` is one of its acts, from 0. */
export function walk(name: StepName, walking: (act: (index: number) => Act) => Promise<void>) {
  const index = steps.findIndex((step) => step.name === name);
  const step = steps[index];
  if (step === undefined) throw new Error(`The tour has no step ${name}.`);
  const actAt = (place: number): Act => {
    const act = step.acts[place];
    if (act === undefined) throw new Error(`Step ${name} of the tour has no act ${place}.`);
    return act;
  };
  return [`${index + 1}. ${step.title}`, () => walking(actAt), 240_000] as const;
}

/** That the page shows what the act says is seen, in pictures too, and that nothing about it keeps anybody out. */
export async function expectSeen(page: Page, act: Act, name: string): Promise<void> {
  const text = await textOf(page);
  for (const words of quotedBy(act)) expect(text).toContain(words);
  await picture(page, name);
  await expectNoViolations(page);
}

/** The status of the answer that somebody gets, as the act says. */
export function statusIn({ sees }: Act): number {
  return Number.parseInt(sees, 10);
}
