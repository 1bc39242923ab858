import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { findParent, listChildren } from "../domain/operations/listChildren.ts";
import { runScopeOf } from "../domain/operations/runScope.ts";
import { type Badge, badgeOf, counted, titleOf } from "../domain/operations/runWords.ts";
import { paths } from "../http/paths.ts";

/** The run that asked for this one, and those that it asked for. */
export type RunFamily = {
  parent: { address: string; title: string; badge: Badge } | null;
  children: { address: string; tenantName: string; badge: Badge }[];
  /** What the list leaves out, without names; null when it shows all. */
  more: string | null;
};

export async function readRunFamily(reader: Reader, viewer: Viewer, run: { id: string }): Promise<RunFamily> {
  const scope = runScopeOf(viewer);
  const [parent, { runs, all, visible }] = await Promise.all([
    findParent(reader, scope, run),
    listChildren(reader, scope, run.id),
  ]);
  const hidden = all - visible;
  const cut = visible - runs.length;
  const more = [
    ...(cut > 0
      ? [`${counted(cut, "more run that did well is", "more runs that did well are")} not listed`]
      : []),
    ...(hidden > 0 ? [`${counted(hidden, "run is", "runs are")} at tenants that you may not see`] : []),
  ];
  return {
    parent:
      parent === undefined
        ? null
        : { address: paths.run(parent.id), title: titleOf(parent.operation), badge: badgeOf(parent) },
    children: runs.map((child) => ({
      address: paths.run(child.id),
      tenantName: child.tenantName ?? "Deleted tenant",
      badge: badgeOf(child),
    })),
    more: more.length === 0 ? null : `${more.join("; ")}.`,
  };
}
