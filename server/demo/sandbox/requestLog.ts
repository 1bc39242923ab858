import { z } from "zod";

export const requestRecord = z.object({
  /** Milliseconds since 1970, when the request arrived. */
  time: z.number(),
  kind: z.enum(["token", "graph"]),
  method: z.string(),
  path: z.string(),
  query: z.string(),
  directoryId: z.string().nullable(),
  clientRequestId: z.string().nullable(),
  /** Part of a batch, which has a record of its own. */
  inBatch: z.boolean(),
  /** What was written; kept only at directories that say so, else null. */
  body: z.json().nullable(),
  /** Null until answered, and for good when the connection ended before a whole answer. */
  status: z.number().nullable(),
  /** The connection has ended before a whole answer, by whoever's doing. */
  broken: z.boolean(),
});

export type RequestRecord = z.infer<typeof requestRecord>;

export type RequestLog = {
  /** Keeps the record; the function it gives back is called once with the status, or null for no whole answer. */
  open(record: Omit<RequestRecord, "time" | "status" | "broken">): (status: number | null) => void;
  /** In the order of arrival; of one directory, or of all. */
  list(directoryId?: string): RequestRecord[];
  clear(): void;
  /** The next record, arriving, being answered or breaking from now on, that matches. */
  next(matches: (record: RequestRecord) => boolean): Promise<RequestRecord>;
};

const keptRecords = 20_000;

/** What was asked of a sandbox. Headers are not kept, bodies only where asked for: else it holds no secrets. */
export function makeRequestLog(): RequestLog {
  let records: RequestRecord[] = [];
  const watchers = new Set<(record: RequestRecord) => void>();
  const notify = (record: RequestRecord): void => {
    for (const watcher of watchers) watcher(record);
  };
  return {
    open(arrived) {
      const record: RequestRecord = { ...arrived, time: Date.now(), status: null, broken: false };
      records.push(record);
      // Cut rarely, by a tenth: one cut a request would copy the whole log each time.
      if (records.length > keptRecords * 1.1) records = records.slice(-keptRecords);
      notify(record);
      return (status) => {
        record.status = status;
        record.broken = status === null;
        notify(record);
      };
    },
    list(directoryId) {
      const wanted = directoryId?.toLowerCase();
      const matching = records.filter((r) => wanted === undefined || r.directoryId?.toLowerCase() === wanted);
      return matching.slice(-keptRecords);
    },
    clear() {
      records = [];
    },
    next: (matches) =>
      new Promise((resolve) => {
        const watcher = (record: RequestRecord): void => {
          if (!matches(record)) return;
          watchers.delete(watcher);
          resolve({ ...record });
        };
        watchers.add(watcher);
      }),
  };
}
