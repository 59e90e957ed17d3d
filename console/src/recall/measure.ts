/** Measures the recall and the latency of a space at several widths of the search, on the collection itself. */

import { call } from "../api/call";
import type { CollectionInfo, Filter, Hit, Stats } from "../api/types";
import type { PointId } from "../api/values";

/** What is measured. `widths`: values of ef for graphs, of nprobe for lists. */
export interface Plan {
  collection: string;
  using: string;
  index: string;
  k: number;
  sample: number;
  searches: number;
  widths: number[];
  filter: Filter | undefined;
}

/** One width; `exact` scans every row. Latencies are the server's own, in microseconds. */
export interface Measured {
  label: string;
  width: number | undefined;
  average: number;
  minimum: number;
  p10: number;
  queries: string;
  median: number;
  p95: number;
}

type Params = { [key: string]: boolean | number | number[] };

interface Recall {
  average?: number;
  minimum?: number;
  p10?: number;
  queries?: string;
}

/** The index that serves a space: `hnsw`, `ivf`, `flat` or `inverted`. */
export async function indexOf(info: CollectionInfo, using: string, signal: AbortSignal): Promise<string> {
  const stats = await call<Stats>("VDE/GetStats", { collectionName: info.collectionName }, { signal });
  return stats.spaces?.[using]?.index ?? "flat";
}

/** All widths, and an exact scan as the last one. `report` is told how much is done, from 0 to 1. */
export async function measured(plan: Plan, signal: AbortSignal, report: (share: number) => void): Promise<Measured[]> {
  const widths: [string, number | undefined, Params][] = plan.widths.map((width) => [`${plan.index === "ivf" ? "nprobe" : "ef"} ${width}`, width, paramsOf(plan.index, width)]);
  widths.push(["exact", undefined, { exact: true }]);
  const ids = await sampleOf(plan, signal);
  const steps = widths.length + ids.length;
  let done = 0;
  const step = () => report(++done / steps);
  const recalls: Recall[] = [];
  for (const [, , params] of widths) {
    recalls.push(await recallOf(plan, params, signal));
    step();
  }
  const times: number[][] = widths.map(() => []);
  // Each vector is searched at all widths before the next one, so that a busy moment meets all widths alike.
  // The first search of each width only prepares: it plans, and reads what is not in memory yet.
  for (const [, , params] of ids.length ? widths : []) await timeOf(plan, ids[0]!, params, signal);
  for (const id of ids) {
    for (const [at, [, , params]] of widths.entries()) times[at]!.push(await timeOf(plan, id, params, signal));
    step();
  }
  return widths.map(([label, width], at) => {
    const sorted = times[at]!.sort((one, other) => one - other);
    const recall = recalls[at]!;
    return {
      label,
      width,
      average: recall.average ?? 0,
      minimum: recall.minimum ?? 0,
      p10: recall.p10 ?? 0,
      queries: recall.queries ?? "0",
      median: quantile(sorted, 0.5),
      p95: quantile(sorted, 0.95),
    };
  });
}

const paramsOf = (index: string, width: number): Params => (index === "ivf" ? { ivfNprobe: [width] } : { hnswEf: width });

const common = (plan: Plan) => ({ collectionName: plan.collection, using: plan.using, ...(plan.filter ? { filter: plan.filter } : {}) });

async function recallOf(plan: Plan, params: Params, signal: AbortSignal): Promise<Recall> {
  return call<Recall>("VDE/EvaluateRecall", { ...common(plan), k: plan.k, sample: plan.sample, params }, { signal, seconds: 600 });
}

/** Points that have a vector in the space, at random, but the same ones each time. */
async function sampleOf(plan: Plan, signal: AbortSignal): Promise<PointId[]> {
  const filter = { must: [{ hasVector: { using: plan.using } }] };
  const request = { collectionName: plan.collection, query: { sample: { seed: "7" } }, filter, limit: plan.searches, withPayload: { enable: false } };
  const reply = await call<{ result: { points?: Hit[] } }>("Points/Query", request, { signal });
  return (reply.result.points ?? []).map((point) => point.id);
}

async function timeOf(plan: Plan, id: PointId, params: Params, signal: AbortSignal): Promise<number> {
  const request = { ...common(plan), vector: { id }, limit: plan.k, params, withPayload: { enable: false } };
  const reply = await call<{ microseconds?: string }>("Points/Search", request, { signal });
  return Number(reply.microseconds ?? 0);
}

/** The value below which a share of the sorted values lies. */
export function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
