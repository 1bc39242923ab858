/** Where people go when there is nowhere to go back to. */
export const home = "/admin";

/** The sign-in page that leads back to `path` afterwards. */
export function toSignIn(path: string | null): string {
  const back = path === null ? null : safeReturnPath(path);
  return back === null || back === home ? "/sign-in" : `/sign-in?return_to=${encodeURIComponent(back)}`;
}

/**
 * A path of ours to go back to, or null. Only what a browser cannot read as another site: judged after
 * normalising, because `/admin/..//evil.example` is `//evil.example` by then.
 */
export function safeReturnPath(given: unknown): string | null {
  if (typeof given !== "string" || given.length > 2000 || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(given))
    return null;
  const base = "http://countersign.invalid";
  if (!URL.canParse(given, base)) return null;
  const url = new URL(given, base);
  const isOurs = url.origin === base && (url.pathname === home || url.pathname.startsWith(`${home}/`));
  return isOurs ? `${url.pathname}${url.search}` : null;
}
