/** Runs queries with their explanation, or without it where the key may not see one. */

import { call, CallError } from "../api/call";
import type { QueryResult, Stage } from "../api/types";

/** The answer to a query. */
export async function answerOf(collection: string, stage: Stage, signal: AbortSignal): Promise<{ result: QueryResult; microseconds?: string }> {
  return explained((explain) => call("Points/Query", { collectionName: collection, ...stage, ...explain }, { signal }));
}

/** The answers to two queries, on one commit. */
export async function answersOf(collection: string, stages: [Stage, Stage], signal: AbortSignal): Promise<[QueryResult, QueryResult]> {
  const reply = await explained((explain) =>
    call<{ results: [QueryResult, QueryResult] }>("Points/QueryBatch", { collectionName: collection, queries: stages.map((stage) => ({ ...stage, ...explain })) }, { signal }),
  );
  return reply.results;
}

async function explained<Reply>(ask: (explain: { explain?: true }) => Promise<Reply>): Promise<Reply> {
  try {
    return await ask({ explain: true });
  } catch (error) {
    if (!(error instanceof CallError && error.code === "permission_denied")) throw error;
    return ask({});
  }
}
