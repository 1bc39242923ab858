import type { ProviderSecret } from "../../provider/port.ts";
import { Invalid } from "../errors.ts";
import { describeProof, type ProofDescription } from "./proof.ts";

/** A credential as somebody enters it. */
export type NewCredential = {
  /** The application's id; undefined keeps the present one. */
  clientId?: string;
  proof: ProviderSecret;
  /** When a secret ends, where that is known; a certificate says it itself. */
  expiresAt: Date | null;
};

/** The longest certificate or key that is read, in characters of PEM. */
const longestPem = 32_768;

const longestSecret = 1_000;
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Looks over what was entered and describes it, its end included. Throws `Invalid` with a message for each field
 * that cannot be used: `client_id`, `secret`, `expires_on`, `certificate`, `private_key`. No message quotes
 * a secret or a key. `present` is the application's id as stored; null where there is no connection yet.
 */
export function checkNewCredential(
  { clientId, proof, expiresAt }: NewCredential,
  present: string | null,
): { clientId: string; described: ProofDescription } {
  const application = clientId?.trim() || present;
  const problems = {
    ...problemOf("client_id", clientIdProblem(application, present)),
    ...(proof.kind === "secret" ? secretProblems(proof.secret, expiresAt) : sizeProblems(proof)),
  };
  if (Object.keys(problems).length > 0 || application === null) throw new Invalid(problems);
  return { clientId: application, described: describe(proof, expiresAt) };
}

function clientIdProblem(clientId: string | null, present: string | null): string | null {
  if (clientId === null) return "Enter the application's id.";
  return guid.test(clientId) || clientId === present
    ? null
    : "An application's id looks like 11111111-2222-3333-4444-555555555555. Copy it from the application's overview.";
}

function secretProblems(secret: string, expiresAt: Date | null): Record<string, string> {
  return {
    ...problemOf("secret", secretProblem(secret)),
    ...problemOf(
      "expires_on",
      expiresAt === null || expiresAt > new Date() ? null : "The day must lie in the future.",
    ),
  };
}

function secretProblem(secret: string): string | null {
  if (secret === "") return "Enter the secret's value.";
  if (secret.length > longestSecret) return "That is too long to be a secret's value.";
  if (/[^\x20-\x7e]/.test(secret)) return "It has characters that no secret has. Copy its value again.";
  return guid.test(secret)
    ? "That looks like the secret's id. Enter its value, which is shown only once, right after it was made."
    : null;
}

function sizeProblems({
  certificate,
  privateKey,
}: Extract<ProviderSecret, { kind: "certificate" }>): Record<string, string> {
  return {
    ...problemOf("certificate", pemProblem(certificate, "certificate")),
    ...problemOf("private_key", pemProblem(privateKey, "private key")),
  };
}

function pemProblem(pem: string, what: string): string | null {
  if (pem.trim() === "") return `Paste the ${what}.`;
  return pem.length > longestPem ? `That is too long to be a ${what}.` : null;
}

function describe(proof: ProviderSecret, expiresAt: Date | null): ProofDescription {
  if (proof.kind === "secret") return { ...describeProof(proof), expiresAt };
  const described = describeCertificate(proof);
  if (described.expiresAt !== null && described.expiresAt <= new Date())
    throw new Invalid({ certificate: "The certificate has expired already." });
  return described;
}

function describeCertificate(proof: ProviderSecret): ProofDescription {
  try {
    return describeProof(proof);
  } catch (error) {
    const message = error instanceof Error ? error.message : "It cannot be read.";
    throw new Invalid({ [message.includes("private key") ? "private_key" : "certificate"]: message });
  }
}

function problemOf(field: string, problem: string | null): Record<string, string> {
  return problem === null ? {} : { [field]: problem };
}
