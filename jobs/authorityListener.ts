import pg from "pg";
import type { Logger } from "pino";

/** How long (milliseconds) to wait before listening anew after the connection was lost. */
const reconnectAfter = 1_000;

export type AuthorityListener = { stop(): Promise<void> };

/**
 * Calls `look` whenever some authority has changed, and each time it begins to listen, since what happened
 * meanwhile was not heard. Changes that come while it looks make it look once more, not once each. Only a
 * hint: without it, the gate before the next effect still says no, and workers look by themselves now and then.
 */
export function listenForAuthority(
  options: { url: string; log: Logger },
  look: () => Promise<void>,
): AuthorityListener {
  const { url, log } = options;
  const lookOnce = makeCoalesced(() =>
    look().catch((error: unknown) => log.warn({ err: error }, "runs could not be looked at again")),
  );
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function listenLater(): void {
    if (!stopped) timer = setTimeout(() => void listen(), reconnectAfter);
  }

  async function listen(): Promise<void> {
    const fresh = new pg.Client({ connectionString: url, application_name: "countersign listener" });
    client = fresh;
    let isLost = false;
    const lose = (error?: Error) => {
      if (isLost || stopped) return;
      isLost = true;
      log.warn({ err: error }, "stopped hearing of changes of authority; listening anew");
      fresh.end().catch((failure: unknown) => log.debug({ err: failure }, "listener closed"));
      listenLater();
    };
    fresh.on("error", lose);
    fresh.on("end", () => lose());
    fresh.on("notification", () => void lookOnce());
    try {
      await fresh.connect();
      await fresh.query("listen authority_changed");
      await lookOnce();
    } catch (error) {
      lose(error instanceof Error ? error : undefined);
    }
  }

  void listen();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}

/** At most one call under way and one to follow, however often it is asked for. */
function makeCoalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  async function run(): Promise<void> {
    do {
      again = false;
      await work();
    } while (again);
  }
  return () => {
    if (running !== undefined) {
      again = true;
      return running;
    }
    running = run().finally(() => {
      running = undefined;
    });
    return running;
  };
}
