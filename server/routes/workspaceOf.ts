import type { Viewer } from "../domain/authority/viewer.ts";

/** Where the viewer stands. The guard lets nobody without a workspace reach a page about one. */
export function workspaceOf(viewer: Viewer): { id: string; name: string } {
  if (viewer.workspace === null) throw new Error("A page about a workspace was reached without one.");
  return viewer.workspace;
}
