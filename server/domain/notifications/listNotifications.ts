import type { Reader } from "../../db/database.ts";
import { mayAt } from "../authority/places.ts";
import type { Viewer } from "../authority/viewer.ts";
import { type Line, whatHappened } from "../operations/describeListedRun.ts";
import { type ListedRun, listedRunColumns, listedRunJoins } from "../operations/listedRun.ts";
import { adviceFor } from "../operations/nextStep.ts";
import { type Badge, badgeOf, titleOf } from "../operations/runWords.ts";
import type { OutcomeContent } from "./notifyOutcomes.ts";

/** What a person is told. `seen` is null when its run is a 404 to them by now: no name, no link. */
export type ShownNotification = {
  id: string;
  isUnread: boolean;
  at: Date;
  badge: Badge;
  title: string;
  seen: { runId: string; tenantName: string | null; lines: Line[]; nextStep: string | null } | null;
  /** For those who may not see more. */
  isUnchanged: boolean;
};

export type NotificationPage = { notifications: ShownNotification[]; older: string | null };

type Row = ListedRun & {
  notificationId: string;
  content: OutcomeContent;
  createdAt: Date;
  readAt: Date | null;
  workspaceId: string;
  isOwn: boolean;
};

const perPage = 25;

/** One page of someone's notifications, newest first. What they may see is judged now, as they read. */
export async function listNotifications(
  reader: Reader,
  viewer: Viewer,
  before: string | null,
): Promise<NotificationPage> {
  const rows = await reader.query<Row>(
    `select n.id as "notificationId", n.content, n.created_at as "createdAt", n.read_at as "readAt",
       r.workspace_id as "workspaceId", r.initiator_id = n.user_id as "isOwn", ${listedRunColumns}
     from notifications n join operation_runs r on r.id = n.run_id ${listedRunJoins}
     where n.user_id = $1 and ($2::uuid is null or n.id < $2)
     order by n.id desc limit $3`,
    [viewer.user.id, before, perPage + 1],
  );
  const page = rows.slice(0, perPage);
  return {
    notifications: page.map((row) => describe(row, viewer)),
    older: rows.length > perPage ? (page.at(-1)?.notificationId ?? null) : null,
  };
}

function describe(row: Row, viewer: Viewer): ShownNotification {
  const place = { workspaceId: row.workspaceId, tenantId: row.tenantId, own: row.isOwn };
  return {
    id: row.notificationId,
    isUnread: row.readAt === null,
    at: row.createdAt,
    badge: badgeOf(row),
    title: titleOf(row.operation),
    seen: mayAt(viewer, "operations.view", place) ? describeSeen(row) : null,
    isUnchanged: !row.content.changed,
  };
}

function describeSeen(row: Row): ShownNotification["seen"] {
  return {
    runId: row.id,
    tenantName: row.tenantName,
    lines: whatHappened(row, { hasWorker: true, now: undefined, at: row.createdAt }),
    nextStep: adviceFor(row),
  };
}
