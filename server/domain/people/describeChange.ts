import { capabilities, isCapability } from "../authority/capabilities.ts";
import { willStop } from "../operations/describeStopped.ts";
import { stewardWords } from "../schedules/countStewarded.ts";
import type { Assignment } from "./assignments.ts";
import type { ChangePreview } from "./changeMember.ts";
import { rolesInWords, roleWords } from "./describeMember.ts";
import type { MemberChange } from "./memberChange.ts";
import type { LostRight } from "./previewLossOfRights.ts";

/** A change to a member, told before it is made. */
export type ToldChange = {
  question: string;
  /** What turns into what. */
  sentences: string[];
  stops: string;
  /** The rights that go, place by place. */
  lost: { where: string; rights: { words: string; capability: string }[] }[];
  label: string;
  isDangerous: boolean;
};

/** Changes that have a page of their own before they are made. */
export type ConfirmedChange = Extract<
  MemberChange,
  { kind: "assignment_role" | "assignment_end" | "removal" }
>;

export function tellChange(change: ConfirmedChange, preview: ChangePreview): ToldChange {
  const { member, before, after, stops, lost, schedules } = preview;
  const words = wordsFor(change, member.name, before, after);
  return {
    question: words.question,
    sentences: [...words.sentences, leftWords(change, after), stewardWords(schedules)].filter(
      (sentence) => sentence !== "",
    ),
    label: words.label,
    isDangerous: change.kind === "removal",
    stops: willStop(words.doing, stops),
    lost: byPlace(lost),
  };
}

/** Roles at single tenants may go on granting what goes elsewhere. */
function leftWords({ kind }: ConfirmedChange, after: readonly Assignment[]): string {
  if (kind === "removal") return "";
  return after.length === 0 ? "No role is left." : `What is held then: ${rolesInWords(after)}.`;
}

function byPlace(lost: readonly LostRight[]): ToldChange["lost"] {
  const places = Map.groupBy(lost, ({ tenantName }) => tenantName ?? "all tenants");
  return [...places].map(([where, rights]) => ({
    where,
    rights: rights.map(({ capability }) => ({
      capability,
      words: isCapability(capability) ? capabilities[capability] : capability,
    })),
  }));
}

type Words = { question: string; doing: string; sentences: string[]; label: string };

function wordsFor(
  change: ConfirmedChange,
  name: string,
  before: readonly Assignment[],
  after: readonly Assignment[],
): Words {
  switch (change.kind) {
    case "removal":
      return {
        question: `Remove ${name}?`,
        doing: `Removing ${name}`,
        sentences: [`${name} loses every role in this workspace and can see nothing of it any more.`],
        label: `Remove ${name}`,
      };
    case "assignment_end": {
      const ended = before.find(({ id }) => id === change.assignmentId);
      return {
        question: `End ${name}’s role?`,
        doing: `Ending ${name}’s role`,
        sentences: ended === undefined ? [] : [`${name} is no longer ${roleWords(ended)}.`],
        label: "End the role",
      };
    }
    case "assignment_role": {
      const [from, to] = [before, after].map((some) => some.find(({ id }) => id === change.assignmentId));
      return {
        question: `Change ${name}’s role?`,
        doing: `Changing ${name}’s role`,
        sentences:
          from === undefined || to === undefined
            ? []
            : [`From ${from.role.name} to ${to.role.name}, at ${to.tenantName ?? "all tenants"}.`],
        label: "Change the role",
      };
    }
  }
}
