import { csrfSync } from "csrf-sync";
import { z } from "zod";

const Form = z.object({ _csrf: z.string() });

/** Every form carries the session's token in `_csrf`; asked before anything else about a POST. */
export const csrf = csrfSync({
  size: 32,
  getTokenFromRequest: (req) => Form.safeParse(req.body).data?._csrf,
});

export function isCsrfError(error: unknown): boolean {
  return error === csrf.invalidCsrfTokenError;
}
