import { z } from "zod";
import type { NewCredential } from "../domain/connections/newCredential.ts";
import { Invalid } from "../domain/errors.ts";
import type { Problems } from "./tried.ts";

const Form = z.object({
  kind: z.enum(["secret", "certificate"]),
  client_id: z.string().default(""),
  secret: z.string().default(""),
  expires_on: z.string().default(""),
  certificate: z.string().default(""),
  private_key: z.string().default(""),
});

/** A credential as it was sent. */
export type SentCredential = z.infer<typeof Form>;

/** What of it is shown again: nothing that could be a secret or a key, wherever it was pasted. */
export type ShownCredential = Pick<SentCredential, "kind" | "client_id" | "expires_on" | "certificate"> & {
  problems: Problems;
};

export function parseCredential(body: unknown): SentCredential {
  return Form.parse(body ?? {});
}

/** Throws `Invalid` for a day that is none; the rest is the domain's to judge. */
export function toNewCredential(sent: SentCredential): NewCredential {
  const clientId = sent.client_id.trim();
  const given = clientId === "" ? {} : { clientId };
  if (sent.kind === "certificate")
    return {
      ...given,
      proof: {
        kind: "certificate",
        // Only the certificate itself: what was pasted around it may be a key.
        certificate: certificateIn(sent.certificate) ?? sent.certificate,
        privateKey: sent.private_key,
      },
      expiresAt: null,
    };
  return {
    ...given,
    proof: { kind: "secret", secret: sent.secret.trim() },
    expiresAt: dayFrom(sent.expires_on.trim()),
  };
}

export function showAgain(sent: SentCredential, problems: Problems): ShownCredential {
  const { kind, client_id, expires_on, certificate } = sent;
  return {
    kind,
    client_id: /^[\da-f-]{1,40}$/i.test(client_id.trim()) ? client_id.trim() : "",
    expires_on: /^[\d-]{1,20}$/.test(expires_on) ? expires_on : "",
    certificate: certificateIn(certificate) ?? "",
    problems,
  };
}

function certificateIn(pem: string): string | null {
  return (
    /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,32768}-----END CERTIFICATE-----/.exec(pem)?.[0] ?? null
  );
}

/** The start of that day in UTC: too early by some hours rather than too late. */
function dayFrom(text: string): Date | null {
  if (text === "") return null;
  const day = z.iso.date().safeParse(text);
  if (!day.success)
    throw new Invalid({ expires_on: "Enter the day as year-month-day, for example 2027-03-31." });
  return new Date(`${day.data}T00:00:00Z`);
}
