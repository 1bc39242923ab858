import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** What a certificate says of itself, and the key that proves it. */
export type CredentialCertificate = {
  subject: string;
  /** SHA-1, upper-case hexadecimal: what Entra's pages show. */
  thumbprint: string;
  /** SHA-256, base64url: what an assertion names its certificate by (`x5t#S256`). */
  thumbprintS256: string;
  expiresAt: Date;
  key: KeyObject;
};

const minKeyBits = 2_048;

/**
 * Reads a certificate and its private key, both PEM. Throws an `Error` whose message can be shown when one of
 * them cannot be read, the key is not RSA of at least 2,048 bits, or they do not belong together. An expired
 * certificate is read like any other.
 */
export function readCertificate(pem: { certificate: string; privateKey: string }): CredentialCertificate {
  const certificate = parseCertificate(pem.certificate);
  const key = parsePrivateKey(pem.privateKey);
  if (!certificate.checkPrivateKey(key)) {
    throw new Error("The private key does not belong to the certificate.");
  }
  return {
    subject: certificate.subject.replaceAll("\n", ", "),
    thumbprint: certificate.fingerprint.replaceAll(":", ""),
    thumbprintS256: Buffer.from(certificate.fingerprint256.replaceAll(":", ""), "hex").toString("base64url"),
    expiresAt: certificate.validToDate,
    key,
  };
}

function parseCertificate(pem: string): X509Certificate {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error('The certificate must be PEM text that begins with "-----BEGIN CERTIFICATE-----".');
  }
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error("The certificate cannot be read.");
  }
}

function parsePrivateKey(pem: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    throw new Error("The private key is protected by a password. Give it without one.");
  }
  const key = readKey(pem);
  if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < minKeyBits) {
    throw new Error(`The private key must be an RSA key of at least ${minKeyBits} bits.`);
  }
  return key;
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: "pem" });
  } catch {
    // The original message may describe the key's insides.
    throw new Error('The private key must be PEM text that begins with "-----BEGIN PRIVATE KEY-----".');
  }
}
