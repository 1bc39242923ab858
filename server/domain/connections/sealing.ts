import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** A key that seals credentials: 32 bytes, with the id that is stored beside what it sealed. */
export type CredentialKey = { id: string; key: Buffer };

/** What a sealed secret belongs to; bound into the seal, so that it cannot be moved to another connection. */
export type SealContext = { connectionId: string; version: number };

export type SealedCredential = { keyId: string; ciphertext: Buffer };

const nonceLength = 12;
const tagLength = 16;

/** AES-256-GCM with the first of the keys; the ciphertext is nonce, tag and data in a row. */
export function sealCredential(
  keys: readonly CredentialKey[],
  context: SealContext,
  secret: string,
): SealedCredential {
  const [first] = keys;
  if (first === undefined) throw new Error("CREDENTIAL_KEYS names no key to seal with.");
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", first.key, nonce).setAAD(boundTo(context));
  const data = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return { keyId: first.id, ciphertext: Buffer.concat([nonce, cipher.getAuthTag(), data]) };
}

/** The secret again. Throws, saying which key is missing but nothing of the secret, when it cannot be opened. */
export function openCredential(
  keys: readonly CredentialKey[],
  context: SealContext,
  sealed: SealedCredential,
): string {
  const key = keys.find(({ id }) => id === sealed.keyId);
  if (key === undefined) throw new Error(`CREDENTIAL_KEYS does not name the key "${sealed.keyId}".`);
  const nonce = sealed.ciphertext.subarray(0, nonceLength);
  const tag = sealed.ciphertext.subarray(nonceLength, nonceLength + tagLength);
  const decipher = createDecipheriv("aes-256-gcm", key.key, nonce, { authTagLength: tagLength });
  decipher.setAAD(boundTo(context)).setAuthTag(tag);
  const data = sealed.ciphertext.subarray(nonceLength + tagLength);
  return Buffer.concat([decipher.update(data), decipher.final()]).toString("utf8");
}

function boundTo({ connectionId, version }: SealContext): Buffer {
  return Buffer.from(`${connectionId}:${version}`);
}
