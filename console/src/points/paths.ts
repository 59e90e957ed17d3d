/** Payload paths that a collection is known to have: declared ones, and those of points that were seen. */

import type { CollectionInfo, Point } from "../api/types";
import type { Payload } from "../api/values";

const MOST = 60;
const seen = new Map<string, Set<string>>();

/** Remembers the paths of these points. */
export function learnPaths(collection: string, points: Point[]): void {
  const known = seen.get(collection) ?? new Set();
  seen.set(collection, known);
  for (const point of points) collect(point.payload, "", known);
}

/** All known paths, sorted. */
export function pathsOf(info: CollectionInfo): string[] {
  const declared = [...Object.keys(info.payloadSchema ?? {}), ...Object.keys(info.textIndexes ?? {})];
  return [...new Set([...declared, ...(seen.get(info.collectionName) ?? [])])].sort();
}

function collect(payload: Payload | undefined, before: string, known: Set<string>): void {
  for (const [key, value] of Object.entries(payload?.fields ?? {})) {
    if (known.size >= MOST) return;
    const path = before + (/^[\p{L}\p{N}_]+$/u.test(key) ? key : JSON.stringify(key));
    if (value.structValue) collect(value.structValue, `${path}.`, known);
    else known.add(path);
  }
}
