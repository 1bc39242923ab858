import { createHash, X509Certificate } from "node:crypto";
import { decodeProtectedHeader, jwtVerify } from "jose";

type App = { clientId: string; certificates: readonly string[] };

const notRegistered =
  "The certificate with identifier used to sign the client assertion is not registered on application.";
const notSigned =
  "Client assertion failed signature validation. [Reason - The key was not found or the assertion is not valid.]";

/**
 * Why a client assertion does not prove to be the app; null when it does. It must name a registered, unexpired
 * certificate by its SHA-256 thumbprint, be signed with that one's key as PS256, and be meant for this endpoint.
 */
export async function refuseAssertion(app: App, assertion: string, endpoint: string): Promise<string | null> {
  const certificate = findCertificate(app, assertion);
  if (certificate === undefined) return notRegistered;
  if (Date.parse(certificate.validTo) < Date.now()) return "[Reason - The key used is expired.]";
  try {
    await jwtVerify(assertion, certificate.publicKey, {
      algorithms: ["PS256"],
      audience: endpoint,
      issuer: app.clientId,
      subject: app.clientId,
      requiredClaims: ["exp", "jti"],
    });
    return null;
  } catch {
    return notSigned;
  }
}

function findCertificate(app: App, assertion: string): X509Certificate | undefined {
  try {
    const named = decodeProtectedHeader(assertion)["x5t#S256"];
    return app.certificates
      .map((pem) => new X509Certificate(pem))
      .find((each) => thumbprintOf(each) === named);
  } catch {
    return undefined;
  }
}

function thumbprintOf(certificate: X509Certificate): string {
  return createHash("sha256").update(certificate.raw).digest("base64url");
}
