import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export type TestCertificate = { certificate: string; privateKey: string };

/** A self-signed certificate of a new RSA key, both PEM; Node reads certificates but does not make them. */
export function makeCertificate({
  subject = "countersign-test",
  expiresAt = new Date(Date.now() + 365 * 86_400_000),
  bits = 2_048,
} = {}): TestCertificate {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const toBeSigned = describe(subject, expiresAt, privateKey);
  const signature = sign("sha256", toBeSigned, privateKey);
  const der = sequence(toBeSigned, sha256WithRsa(), tagged(0x03, Buffer.from([0]), signature));
  return {
    certificate: pem("CERTIFICATE", der),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

// RFC 5280, and just as much of DER as it takes.
function describe(subject: string, expiresAt: Date, key: KeyObject): Buffer {
  const commonName = sequence(oid("550403"), tagged(0x0c, Buffer.from(subject)));
  const name = sequence(tagged(0x31, commonName));
  const validity = sequence(time(new Date("2024-01-01T00:00:00Z")), time(expiresAt));
  const version = tagged(0xa0, tagged(0x02, Buffer.from([2])));
  const serial = tagged(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(8)]));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return sequence(version, serial, sha256WithRsa(), name, validity, name, publicKey);
}

function sha256WithRsa(): Buffer {
  return sequence(oid("2a864886f70d01010b"), tagged(0x05));
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+Z/g, "")}Z`));
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body), body]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
