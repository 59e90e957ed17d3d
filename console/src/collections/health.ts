/** What the pages tell of a collection: its state, its settings and its counts. Closed collections stay closed. */

import { call, CallError } from "../api/call";
import type { CollectionInfo, StateInfo, Stats } from "../api/types";

export interface Health {
  name: string;
  state: StateInfo;
  info?: CollectionInfo;
  stats?: Stats;
  error?: unknown;
}

const AT_ONCE = 4;

/** The names of all collections that start with `prefix`. */
export async function namesOf(prefix: string, signal?: AbortSignal): Promise<string[]> {
  const reply = await call<{ collectionNames?: string[] }>("Collections/List", { prefix }, { signal });
  return reply.collectionNames ?? [];
}

/** The settings of one collection; only its name if the key may read its points, but not its settings. */
export async function knownInfoOf(name: string, signal?: AbortSignal): Promise<CollectionInfo> {
  try {
    return await infoOf(name, signal);
  } catch (error) {
    if (error instanceof CallError && error.code === "permission_denied") return { collectionName: name };
    throw error;
  }
}

/** The settings of one collection. */
export async function infoOf(name: string, signal?: AbortSignal): Promise<CollectionInfo> {
  const reply = await call<{ collection: CollectionInfo }>("Collections/Get", { collectionName: name }, { signal });
  return reply.collection;
}

/** The health of one collection. To ask for its counts would open it, so they are missing while it is closed. */
export async function healthOf(name: string, signal?: AbortSignal): Promise<Health> {
  const request = { collectionName: name };
  const state = await call<StateInfo>("VDE/GetState", request, { signal });
  if (state.state === "COLLECTION_STATE_CLOSED" || state.state === "COLLECTION_STATE_ERROR") return { name, state };
  const [info, stats] = await Promise.all([infoOf(name, signal), call<Stats>("VDE/GetStats", request, { signal })]);
  return { name, state, info, stats };
}

/** The same for many, a few at a time. A failure of one is told in its place. */
export async function healthOfAll(names: string[], signal?: AbortSignal): Promise<Health[]> {
  const found: Health[] = [];
  const rest = names.entries();
  const work = async () => {
    for (const [at, name] of rest) {
      try {
        found[at] = await healthOf(name, signal);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        found[at] = { name, state: {}, error };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

/** The lowest measured recall of any space; undefined when none has an index. */
export function lowestRecall(stats: Stats | undefined): number | undefined {
  const known = Object.values(stats?.spaces ?? {}).flatMap((space) => (space.recall === undefined ? [] : [space.recall]));
  return known.length ? Math.min(...known) : undefined;
}

/** All bytes of a collection on disk. */
export const diskBytes = (stats: Stats | undefined): number =>
  Number(stats?.total?.diskBytes ?? 0) + Number(stats?.payloadDiskBytes ?? 0);
