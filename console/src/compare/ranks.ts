/** How two rankings differ. */

import type { Hit } from "../api/types";
import { idText } from "../api/values";

export interface RankPair {
  id: string;
  hit: Hit;
  /** The rank in A and in B, from 1; undefined where the point is missing. */
  a: number | undefined;
  b: number | undefined;
}

export interface Comparison {
  /** All points, by their better rank. */
  pairs: RankPair[];
  both: number;
  /** The mean distance between the two ranks of the points in both. */
  meanShift: number;
  /** Points in both as a share of those in any. */
  overlap: number;
}

/** What changes from A to B. */
export function compared(a: Hit[], b: Hit[]): Comparison {
  const pairs = new Map<string, RankPair>();
  a.forEach((hit, at) => pairs.set(idText(hit.id), { id: idText(hit.id), hit, a: at + 1, b: undefined }));
  b.forEach((hit, at) => {
    const known = pairs.get(idText(hit.id));
    pairs.set(idText(hit.id), known ? { ...known, b: at + 1 } : { id: idText(hit.id), hit, a: undefined, b: at + 1 });
  });
  const best = (pair: RankPair) => Math.min(pair.a ?? Infinity, pair.b ?? Infinity);
  const all = [...pairs.values()].sort((one, other) => best(one) - best(other) || (one.a ?? Infinity) - (other.a ?? Infinity));
  const shifts = all.flatMap((pair) => (pair.a === undefined || pair.b === undefined ? [] : [Math.abs(pair.a - pair.b)]));
  return {
    pairs: all,
    both: shifts.length,
    meanShift: shifts.length ? shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length : 0,
    overlap: all.length ? shifts.length / all.length : 1,
  };
}

/** How a point moved from A to B, as a text. */
export function movement(pair: RankPair): string {
  if (pair.a === undefined) return "new";
  if (pair.b === undefined) return "gone";
  const up = pair.a - pair.b;
  return up === 0 ? "=" : up > 0 ? `↑ ${up}` : `↓ ${-up}`;
}
