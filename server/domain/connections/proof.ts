import { z } from "zod";
import { readCertificate } from "../../provider/certificates.ts";
import type { ProviderSecret } from "../../provider/port.ts";

const Proof = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("secret"), secret: z.string() }),
  z.strictObject({ kind: z.literal("certificate"), privateKey: z.string(), certificate: z.string() }),
]);

const Marked = z.looseObject({ kind: z.string() });

/** What is sealed of a proof. */
export function writeProof(proof: ProviderSecret): string {
  return JSON.stringify(Proof.parse(proof));
}

/**
 * The proof that was sealed. Earlier releases sealed the bare secret, so what is not marked as ours is one.
 * Throws for a kind that only a later release knows: it must not be sent anywhere as if it were a secret.
 */
export function readProof(opened: string): ProviderSecret {
  const written = parsedJson(opened);
  if (!Marked.safeParse(written).success) return { kind: "secret", secret: opened };
  const proof = Proof.safeParse(written).data;
  if (proof === undefined) throw new Error("The stored credential is of a kind this release does not know.");
  return proof;
}

/** What may be kept and shown beside a sealed proof. A secret says nothing of itself, nor when it ends. */
export type ProofDescription = {
  kind: ProviderSecret["kind"];
  thumbprint: string | null;
  subject: string | null;
  expiresAt: Date | null;
};

/** Throws an `Error`, in words for a person, for a certificate and key that cannot be used together. */
export function describeProof(proof: ProviderSecret): ProofDescription {
  if (proof.kind === "secret") return { kind: "secret", thumbprint: null, subject: null, expiresAt: null };
  const { thumbprint, subject, expiresAt } = readCertificate(proof);
  return { kind: "certificate", thumbprint, subject, expiresAt };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
