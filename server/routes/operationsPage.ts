import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import {
  type Attention,
  countAttention,
  listTenantNames,
  listWaiting,
} from "../domain/operations/attention.ts";
import { describeListedRun, type RunRow } from "../domain/operations/describeListedRun.ts";
import { listInitiators } from "../domain/operations/listInitiators.ts";
import { listRuns, type RunPage } from "../domain/operations/listRuns.ts";
import { countStanding } from "../domain/operations/needsAttention.ts";
import { previewRuns } from "../domain/operations/previewRuns.ts";
import { type RunScope, runScopeOf } from "../domain/operations/runScope.ts";
import { matchText } from "../domain/operations/searchRuns.ts";
import { bounded, type Card, cardsFor } from "./operationCards.ts";
import { type Chip, chipsFor } from "./operationFilters.ts";
import { type Narrow, narrowBy } from "./operationNarrow.ts";
import { cursorFrom, filtersFrom, type ListQuery, listAddress } from "./operationQuery.ts";
import { type EmptyState, emptyState } from "./operationsEmpty.ts";
import { readStanding, type StandingList } from "./standingRuns.ts";

export type ListPage = {
  workspaceName: string;
  cards: Card[];
  chips: Chip[];
  narrow: Narrow;
  rows: (RunRow & { opensTenant: boolean })[];
  /** Instead of the runs: what was blocked and nobody has dealt with. */
  standing: StandingList | null;
  pages: { newer: string | null; older: string | null };
  /** What the list's own address is; polled while something waits or runs. */
  address: string;
  isLive: boolean;
  /** What changes are announced as. */
  summary: string;
  empty: EmptyState | null;
};

export async function readListPage(reader: Reader, viewer: Viewer, query: ListQuery): Promise<ListPage> {
  const scope = runScopeOf(viewer);
  const [counts, kinds, tenants, initiators, waiting] = await Promise.all([
    countAttention(reader, scope),
    countStanding(reader, scope),
    listTenantNames(reader, scope),
    listInitiators(reader, scope),
    listWaiting(reader, scope),
  ]);
  const verdicts = await previewRuns(reader, waiting);
  const atRisk = waiting.filter((id) => verdicts.get(id)?.verdict === "denied");
  const list = await readList(reader, { scope, viewer, query, atRisk });
  const at = new Date();
  const around = (id: string) => ({ hasWorker: counts.hasWorker, now: verdicts.get(id), at });
  const names = {
    tenant: tenants.find(({ id }) => id === query.tenant)?.name,
    initiator: initiators.find(({ id }) => id === query.initiator)?.name,
  };
  return {
    workspaceName: viewer.workspace?.name ?? "",
    cards: cardsFor(query, counts, { standing: kinds, atRisk: atRisk.length }),
    chips: chipsFor(query, { running: bounded(counts.running), queued: bounded(counts.queued) }),
    narrow: narrowBy(query, tenants, initiators),
    rows: list.runs.map((run) => ({
      ...describeListedRun(run, around(run.id)),
      opensTenant: run.tenantExists && may(viewer, "tenant.view", run.tenantId),
    })),
    standing: list.standing,
    pages: {
      newer: list.newer && listAddress(query, { after: list.newer }),
      older: list.older && listAddress(query, { before: list.older }),
    },
    address: listAddress(query, { before: query.before, after: query.after }),
    isLive: counts.queued + counts.running > 0,
    summary: summaryOf(counts),
    empty: list.runs.length + (list.standing?.rows.length ?? 0) > 0 ? null : emptyState(viewer, query, names),
  };
}

type Asked = { scope: RunScope; viewer: Viewer; query: ListQuery; atRisk: readonly string[] };
type List = RunPage & { standing: StandingList | null };

async function readList(reader: Reader, { scope, viewer, query, atRisk }: Asked): Promise<List> {
  if (query.attention === "blocked") {
    const standing = await readStanding(reader, scope, viewer, query);
    return { runs: [], newer: null, older: null, standing };
  }
  const match = query.text === null ? null : await matchText(reader, scope, query.text);
  const filters = filtersFrom(query, { atRisk, match, timeZone: viewer.user.timeZone });
  return { ...(await listRuns(reader, scope, filters, cursorFrom(query))), standing: null };
}

function summaryOf(counts: Attention): string {
  return `${bounded(counts.running)} running, ${bounded(counts.queued)} queued`;
}
