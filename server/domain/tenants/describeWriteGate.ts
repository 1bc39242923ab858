import { type PolicyType, policyTypes, rolesOf, typeLabels } from "../../provider/policyTypes.ts";
import type { Check } from "../authority/check.ts";
import { checkConnection } from "../authority/checks.ts";
import type { ConnectionFact, Facts } from "../authority/facts.ts";
import { checkPrerequisites, checkWriteGate, endOfVerification } from "../authority/prerequisiteChecks.ts";
import { sentence } from "../operations/runWords.ts";

/** What mends a check: on the page a button or a link, or what to do elsewhere. */
export type Fix = "verify" | "replace" | "grant" | "approve";

export type GateCheck = {
  label: string;
  result: "passed" | "failed";
  /** What was found, as a sentence. `at`: a moment that belongs to its end. */
  found: string;
  at: Date | null;
  fix: Fix | null;
};

/** A policy type, and what is missing to write it. */
export type WritableType = { type: PolicyType; label: string; missing: string[] };

export type WriteGate = {
  /** `partly`: only some of the types can be written. */
  state: "open" | "partly" | "closed";
  checks: GateCheck[];
  types: WritableType[];
};

/**
 * The write gate's state as a request would find it, check by check (handbook 4, "Write gate"). Has no rule of
 * its own: each check asks the gate's, with everything else as it should be, so that only what it is about can fail.
 * `facts` are those about an operation that writes; null `connection` leaves nothing to check.
 */
export function describeWriteGate(facts: Facts): WriteGate {
  const { connection } = facts;
  if (connection === null) return { state: "closed", checks: [noConnection], types: [] };
  const sound = asSound(facts);
  const types = policyTypes.map((type) => writableType(sound, connection, type));
  const checks = [
    verified(sound, connection),
    present(sound, connection),
    recent(sound, connection),
    lasting(sound, connection),
    approved(sound, connection),
    permitted(types),
  ];
  return { state: stateOf(checks, types), checks, types };
}

const noConnection: GateCheck = {
  label: "Connection verified",
  result: "failed",
  found: "There is no connection.",
  at: null,
  fix: "replace",
};

/** Facts of which all is as the gate wants it. */
type SoundFacts = Facts & { connection: ConnectionFact };

function asSound(facts: Facts): SoundFacts {
  return {
    ...facts,
    phase: "request",
    contract: { ...facts.contract, prerequisites: ["connection_verified", "write_gate"] },
    requestExpiresAt: new Date(8.64e15),
    writeRoles: [],
    connection: {
      tenantId: facts.tenantId ?? "",
      status: "verified",
      cause: null,
      verifiedAt: facts.now,
      credentialVersion: 1,
      verifiedVersion: 1,
      credentialExpiresAt: null,
      grantedRoles: [],
      approvalRequired: null,
    },
  };
}

/** The same, but for what is given. */
function withTrue(sound: SoundFacts, given: Partial<ConnectionFact>): Facts {
  return { ...sound, connection: { ...sound.connection, ...given } };
}

function verified(sound: SoundFacts, { status, cause, tenantId }: ConnectionFact): GateCheck {
  return told("Connection verified", checkConnection(withTrue(sound, { status, cause, tenantId })), {
    passed: ["The connection is verified."],
    failed: [
      status === "invalid" ? "The provider refuses the credential." : "The connection is not verified.",
    ],
    fix: status === "invalid" ? "replace" : "verify",
  });
}

function present(sound: SoundFacts, { credentialVersion, verifiedVersion }: ConnectionFact): GateCheck {
  const check = checkWriteGate(withTrue(sound, { credentialVersion, verifiedVersion }), []);
  return told("With the present credential", check, {
    passed: ["The credential is the one that was verified."],
    failed: [
      verifiedVersion === null
        ? "The present credential has not been verified yet."
        : "The credential was replaced since it was verified.",
    ],
    fix: "verify",
  });
}

function recent(sound: SoundFacts, { verifiedAt }: ConnectionFact): GateCheck {
  return told("Verified recently", checkWriteGate(withTrue(sound, { verifiedAt }), []), {
    passed: ["The last verification counts until", endOfVerification(sound, { verifiedAt })],
    failed: verifiedAt === null ? ["It was never verified."] : ["Too long ago: it was verified", verifiedAt],
    fix: "verify",
  });
}

function lasting(sound: SoundFacts, { credentialExpiresAt }: ConnectionFact): GateCheck {
  const isOver = credentialExpiresAt !== null && credentialExpiresAt <= sound.now;
  return told("Credential lasts", checkWriteGate(withTrue(sound, { credentialExpiresAt }), []), {
    passed:
      credentialExpiresAt === null ? ["Nobody has said when it ends."] : ["It ends", credentialExpiresAt],
    failed: [isOver ? "It ended" : "Too little is left to begin with: it ends", credentialExpiresAt],
    fix: "replace",
  });
}

function approved(sound: SoundFacts, { approvalRequired }: ConnectionFact): GateCheck {
  return told("No approval pending", checkPrerequisites(withTrue(sound, { approvalRequired })), {
    passed: ["The tenant asks for none."],
    failed: [sentence(approvalRequired ?? "")],
    fix: "approve",
  });
}

function permitted(types: readonly WritableType[]): GateCheck {
  const writable = types.filter(isWritable).length;
  const all = writable === types.length;
  const some = `They are granted for ${writable} of ${types.length} types.`;
  return {
    label: "Permissions to write",
    result: all ? "passed" : "failed",
    found: all ? "They are granted for every type." : writable === 0 ? "They are granted for no type." : some,
    at: null,
    fix: all ? null : "grant",
  };
}

function writableType(sound: SoundFacts, { grantedRoles }: ConnectionFact, type: PolicyType): WritableType {
  const granted = withTrue(sound, { grantedRoles });
  const missing = rolesOf[type].write.filter(
    (role) => checkWriteGate({ ...granted, writeRoles: [role] }, []).result !== "passed",
  );
  return { type, label: typeLabels[type], missing };
}

function isWritable({ missing }: WritableType): boolean {
  return missing.length === 0;
}

/** Permissions are each type's own; all the rest shuts the gate for every one of them. */
function stateOf(checks: readonly GateCheck[], types: readonly WritableType[]): WriteGate["state"] {
  const isShut = checks.some(({ result, fix }) => result === "failed" && fix !== "grant");
  if (isShut || !types.some(isWritable)) return "closed";
  return types.every(isWritable) ? "open" : "partly";
}

type Words = readonly [text: string, at?: Date | null];

function told(
  label: string,
  { result }: Check,
  words: { passed: Words; failed: Words; fix: Fix },
): GateCheck {
  const isPassed = result === "passed";
  const [found, at = null] = isPassed ? words.passed : words.failed;
  return { label, result: isPassed ? "passed" : "failed", found, at, fix: isPassed ? null : words.fix };
}
