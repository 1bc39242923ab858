import { capabilities, isCapability } from "../authority/capabilities.ts";
import { willStop } from "../operations/describeStopped.ts";
import { counted } from "../operations/runWords.ts";
import { stewardWords } from "../schedules/countStewarded.ts";
import type { Right } from "./capabilityGroups.ts";
import type { RolePreview } from "./changeRole.ts";

/** A change to a role, told before it is made. */
export type ToldRoleChange = {
  question: string;
  sentences: string[];
  /** What it stops; null when it takes nothing away. */
  stops: string | null;
  removed: Right[];
  added: Right[];
};

export function tellRoleChange({
  role,
  draft,
  added,
  removed,
  holders,
  stops,
  schedules,
}: RolePreview): ToldRoleChange {
  const renamed = draft.name === role.name ? [] : [`It will be called ${draft.name}.`];
  const steward = stewardWords(schedules);
  return {
    question: `Change ${role.name}?`,
    sentences: [...renamed, heldBy(holders, removed), ...(steward === "" ? [] : [steward])],
    stops: removed.length === 0 ? null : willStop(takingWords(removed, role.name), stops),
    removed: removed.map(toRight),
    added: added.map(toRight),
  };
}

/** "3 members hold it", as the page of a role and the question before a change say it. */
export function holdersWords(holders: number): string {
  if (holders === 0) return "Nobody holds it.";
  return `${counted(holders, "member holds", "members hold")} it.`;
}

function heldBy(holders: number, removed: readonly string[]): string {
  if (holders === 0 || removed.length === 0) return holdersWords(holders);
  return `${holdersWords(holders)} They lose what is taken from it wherever no other role of theirs allows it.`;
}

function takingWords(removed: readonly string[], name: string): string {
  const what = removed.length > 3 ? `${removed.length} rights` : new Intl.ListFormat("en-GB").format(removed);
  return `Taking ${what} from ${name}`;
}

function toRight(capability: string): Right {
  return {
    capability,
    words: isCapability(capability) ? capabilities[capability] : "a right this release does not know",
  };
}
