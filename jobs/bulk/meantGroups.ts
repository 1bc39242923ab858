import type { MeantGroup } from "../../server/domain/bulk/execution.ts";
import type { ProviderGroup, ProviderReader } from "../../server/provider/port.ts";

type Asked = { include: readonly string[]; exclude: readonly string[] };

const isGroupId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds the groups that were named, by id or by name; none is guessed. A name that several have, or that nobody
 * has, is a problem of the whole run, in words for people.
 */
export async function findMeantGroups(
  provider: ProviderReader,
  { include, exclude }: Asked,
  signal: AbortSignal,
): Promise<{ groups: MeantGroup[] } | { problem: string }> {
  const named = [...include, ...exclude];
  const ids = named.filter((text) => isGroupId.test(text));
  const names = named.filter((text) => !isGroupId.test(text));
  const byId = ids.length === 0 ? [] : await provider.findGroupsById(ids, signal);
  const byName = names.length === 0 ? [] : await provider.findGroupsByName(names, signal);
  const groups: MeantGroup[] = [];
  for (const [text, excludes] of [...mark(include, false), ...mark(exclude, true)]) {
    const found = matching(text, byId, byName);
    const [group, another] = found;
    if (group === undefined) return { problem: `There is no group “${text}” at the tenant.` };
    if (another !== undefined)
      return {
        problem: `${found.length} groups are called “${text}”: name the one that is meant by its id.`,
      };
    if (groups.some(({ id }) => id === group.id))
      return { problem: `The group “${group.name}” is named twice.` };
    groups.push({ id: group.id, name: group.name, excludes });
  }
  return { groups };
}

function mark(texts: readonly string[], excludes: boolean): [string, boolean][] {
  return texts.map((text) => [text, excludes]);
}

function matching(
  text: string,
  byId: readonly ProviderGroup[],
  byName: readonly ProviderGroup[],
): ProviderGroup[] {
  const lower = text.toLowerCase();
  return isGroupId.test(text)
    ? byId.filter(({ id }) => id.toLowerCase() === lower)
    : byName.filter(({ name }) => name.toLowerCase() === lower);
}
