import { Invalid } from "../domain/errors.ts";

/** What was wrong with a form, one message per field. */
export type Problems = Readonly<Record<string, string>>;

/** Runs a verb; what was filled in wrongly comes back, so that the form can be shown again with it. */
export async function tried<T>(verb: () => Promise<T>): Promise<{ done: T } | { problems: Problems }> {
  try {
    return { done: await verb() };
  } catch (error) {
    if (error instanceof Invalid) return { problems: error.fields };
    throw error;
  }
}
