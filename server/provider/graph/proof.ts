import type { KeyObject, webcrypto } from "node:crypto";
import * as oauth from "oauth4webapi";
import { readCertificate } from "../certificates.ts";
import { ProviderError, type ProviderSecret } from "../port.ts";

/**
 * How a token request shows who sends it. Rejects with `ProviderError` `credential_rejected` when a
 * certificate and its key cannot be used.
 */
export async function proveIdentity(proof: ProviderSecret, tokenEndpoint: string): Promise<oauth.ClientAuth> {
  if (proof.kind === "secret") return oauth.ClientSecretPost(proof.secret);
  const { key, thumbprintS256 } = readUsable(proof);
  return oauth.PrivateKeyJwt(await signingKey(key), {
    [oauth.modifyAssertion]: (header, payload) => {
      header["x5t#S256"] = thumbprintS256;
      // Entra knows itself by this address; the library would name the issuer.
      payload.aud = tokenEndpoint;
    },
  });
}

function readUsable(proof: { certificate: string; privateKey: string }) {
  try {
    return readCertificate(proof);
  } catch (error) {
    throw new ProviderError("credential_rejected", "The certificate of this connection cannot be used", {
      detail: "unusable_certificate",
      cause: error,
    });
  }
}

/** Not extractable, and of the kind whose signatures are PS256. */
async function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: "RSA-PSS", hash: "SHA-256" };
  return crypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), algorithm, false, [
    "sign",
  ]);
}
