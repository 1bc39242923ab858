/**
 * Collects questions that come while earlier ones are being answered and answers them together. So a burst of
 * jobs shares one gate transaction, and a lone job waits for nobody. When a batch fails, each question is
 * asked again alone, beside the batches that follow: one that cannot be answered holds up nobody else.
 */
export function makeBatcher<Question, Answer>(
  maxSize: number,
  answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): (question: Question) => Promise<Answer> {
  type Waiting = {
    question: Question;
    resolve: (answer: Answer) => void;
    reject: (error: unknown) => void;
  };
  const waiting: Waiting[] = [];
  let busy = false;

  async function answerBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await answerAll(batch.map(({ question }) => question));
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined) reject(new Error("A batch left a question without an answer."));
        else resolve(answer);
      });
    } catch (error) {
      if (batch.length === 1) for (const { reject } of batch) reject(error);
      else for (const single of batch) void answerBatch([single]);
    }
  }

  async function work(): Promise<void> {
    busy = true;
    while (waiting.length > 0) await answerBatch(waiting.splice(0, maxSize));
    busy = false;
  }

  return (question) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      // Deferred by a turn, so that jobs started together meet in the first batch already.
      if (!busy) {
        busy = true;
        setImmediate(() => void work());
      }
    });
}
