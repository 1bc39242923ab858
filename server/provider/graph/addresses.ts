/**
 * The base addresses of a provider. Plain HTTP would send secrets and tokens in the clear, so it is accepted
 * for loopback hosts only, and the host decides: there is no setting that could be left on by mistake.
 */

/** True for `localhost`, 127.0.0.0/8 and ::1. Takes a URL, whose parser has already normalised odd spellings. */
export function isLoopback(url: URL): boolean {
  return (
    url.hostname === "localhost" || url.hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(url.hostname)
  );
}

/**
 * Parses one configured base address, without its trailing slash. Throws an `Error` naming the setting when it
 * is not an https address (or http on a loopback host), or carries credentials, a query or a fragment.
 */
export function parseBaseAddress(setting: string, value: string): URL {
  const url = URL.parse(value);
  if (url === null) throw new Error(`${setting} is not an address`);
  const secure = url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
  if (!secure) throw new Error(`${setting} must be https: plain http is for loopback hosts only`);
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new Error(`${setting} must be a bare address, without credentials, query or fragment`);
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}

/** The address of `path` (which begins with a slash) under a base. */
export function addressUnder(base: URL, path: string): string {
  return `${base.origin}${base.pathname.replace(/\/$/, "")}${path}`;
}
