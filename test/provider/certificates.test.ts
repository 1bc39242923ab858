import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { readCertificate } from "../../server/provider/certificates.ts";
import { makeCertificate } from "../helpers/certificates.ts";

const pair = makeCertificate();

describe("A certificate with its key", () => {
  test("says whose it is, until when, and its thumbprints", () => {
    const expiresAt = new Date("2031-05-04T03:02:01Z");
    const made = makeCertificate({ subject: "Backup of Northwind", expiresAt });
    const { raw } = new X509Certificate(made.certificate);
    expect(readCertificate(made)).toMatchObject({
      subject: "CN=Backup of Northwind",
      expiresAt,
      thumbprint: createHash("sha1").update(raw).digest("hex").toUpperCase(),
      thumbprintS256: createHash("sha256").update(raw).digest("base64url"),
    });
  });

  test("is read when it has expired: whether that matters is not the reader's to say", () => {
    const expiresAt = new Date("2025-01-01T00:00:00Z");
    expect(readCertificate(makeCertificate({ expiresAt })).expiresAt).toEqual(expiresAt);
  });

  test("that is another's is refused", () => {
    const other = makeCertificate();
    expect(() => readCertificate({ ...pair, privateKey: other.privateKey })).toThrow(
      "The private key does not belong to the certificate.",
    );
  });
});

describe("What is no usable pair is refused with a reason:", () => {
  const weak = makeCertificate({ bits: 1_024 });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const locked = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "secret words",
  });
  test.each([
    ["no PEM at all", { ...pair, certificate: "MIIC" }, "The certificate must be PEM text"],
    [
      "PEM that holds none",
      { ...pair, certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      "The certificate cannot be read.",
    ],
    ["a key that is none", { ...pair, privateKey: "hunter2" }, "The private key must be PEM text"],
    [
      "a certificate for a key",
      { ...pair, privateKey: pair.certificate },
      "The private key must be PEM text",
    ],
    ["a key behind a password", { ...pair, privateKey: String(locked) }, "is protected by a password"],
    [
      "a key of another kind",
      { ...pair, privateKey: String(curve.export({ type: "pkcs8", format: "pem" })) },
      "must be an RSA key",
    ],
    ["a short key", weak, "must be an RSA key of at least 2048 bits"],
  ])("%s", (_what, pem, reason) => {
    expect(() => readCertificate(pem)).toThrow(reason);
    expect(() => readCertificate(pem)).not.toThrow(/hunter2|secret words/);
  });
});
