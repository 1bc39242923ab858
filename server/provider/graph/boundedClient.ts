import type { Answer } from "./exchange.ts";
import type { GraphClient } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";

/**
 * The same client, for reading what is held together: it rejects with `malformed_answer` when all answers to it come
 * to more than `most` characters, however many calls they took and however small each of them was.
 */
export function boundedClient(client: GraphClient, most: number): GraphClient {
  let length = 0;
  const bounded = (answer: Answer): Answer => {
    length += answer.text.length;
    if (length > most) throw malformedAnswer("What belongs to a page of policies is too large", answer);
    return answer;
  };
  return {
    ...client,
    get: async (address, signal) => bounded(await client.get(address, signal)),
    query: async (address, body, signal) => bounded(await client.query(address, body, signal)),
  };
}
