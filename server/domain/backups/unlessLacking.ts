import { ProviderError } from "../../provider/port.ts";

/** The answer, or in the provider's words which permission is lacking. Any other error is thrown on. */
export async function unlessLacking<T>(ask: () => Promise<T[]>): Promise<T[] | string> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ProviderError && error.code === "permission_missing") return error.message;
    throw error;
  }
}
