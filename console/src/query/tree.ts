/** Changes of a tree of stages. Stages are never changed in place. A path is the positions of prefetches from the root. */

import type { Rank, Stage } from "../api/types";

export type Path = readonly number[];

/** Fields that only the root of a query has. */
const ROOT_ONLY = ["offset", "withPayload", "withVectors", "scoreMode", "explain", "searchAfter", "cursorTtlSeconds", "cursor", "collectionName"];

/** The stage at a path, if it is there. */
export function stageAt(root: Stage, path: Path): Stage | undefined {
  let stage: Stage | undefined = root;
  for (const at of path) stage = stage?.prefetch?.[at];
  return stage;
}

/** The tree with another stage at the path. */
export function replaced(root: Stage, path: Path, stage: Stage): Stage {
  const [at, ...rest] = path;
  if (at === undefined) return stage;
  const prefetch = (root.prefetch ?? []).map((child, each) => (each === at ? replaced(child, rest, stage) : child));
  return { ...root, prefetch };
}

/** The tree with a further prefetch of the stage at the path. */
export function withChild(root: Stage, path: Path, child: Stage): Stage {
  const parent = stageAt(root, path);
  return parent ? replaced(root, path, { ...parent, prefetch: [...(parent.prefetch ?? []), child] }) : root;
}

/** The tree without the stage at the path. The root stays. A stage that loses its only prefetch becomes a leaf. */
export function without(root: Stage, path: Path): Stage {
  const at = path.at(-1);
  const above = path.slice(0, -1);
  const parent = stageAt(root, above);
  if (at === undefined || !parent) return root;
  const { prefetch = [], ...rest } = parent;
  const kept = prefetch.filter((_, each) => each !== at);
  return replaced(root, above, kept.length ? { ...parent, prefetch: kept } : rest);
}

/** The tree with the stage at the path below a new stage, which ranks by `query` what it finds. */
export function wrapped(root: Stage, path: Path, query: Rank, more: Stage = {}): Stage {
  const stage = stageAt(root, path);
  if (!stage) return root;
  if (path.length) return replaced(root, path, { prefetch: [stage], query, ...more });
  const kept = Object.fromEntries(ROOT_ONLY.filter((name) => name in stage).map((name) => [name, stage[name]]));
  const below = Object.fromEntries(Object.entries(stage).filter(([name]) => !ROOT_ONLY.includes(name)));
  const { limit, ...inner } = below as Stage;
  return { ...kept, ...(limit === undefined ? {} : { limit }), prefetch: [{ ...inner, limit: Math.max(100, limit ?? 0) }], query, ...more };
}

/** The tree with only the prefetch in place of a stage that has one. */
export function unwrapped(root: Stage, path: Path): Stage {
  const stage = stageAt(root, path);
  const only = stage?.prefetch?.[0];
  if (!stage || !only) return root;
  if (path.length) return replaced(root, path, only);
  const kept = Object.fromEntries(ROOT_ONLY.filter((name) => name in stage).map((name) => [name, stage[name]]));
  return { ...only, ...kept, ...(stage.limit === undefined ? {} : { limit: stage.limit }) };
}

/** The tree with a copy of the stage at the path beside it. */
export function duplicated(root: Stage, path: Path): Stage {
  const at = path.at(-1);
  const above = path.slice(0, -1);
  const parent = stageAt(root, above);
  const stage = stageAt(root, path);
  if (at === undefined || !parent || !stage) return root;
  const prefetch = [...(parent.prefetch ?? [])];
  prefetch.splice(at + 1, 0, structuredClone(stage));
  return replaced(root, above, { ...parent, prefetch });
}

/** The tree with the stage one place further up or down among its siblings. */
export function moved(root: Stage, path: Path, by: -1 | 1): Stage {
  const at = path.at(-1);
  const above = path.slice(0, -1);
  const prefetch = [...(stageAt(root, above)?.prefetch ?? [])];
  const [one, other] = [prefetch[at ?? -1], prefetch[(at ?? -1) + by]];
  if (at === undefined || !one || !other) return root;
  prefetch[at] = other;
  prefetch[at + by] = one;
  return replaced(root, above, { ...stageAt(root, above), prefetch });
}

/** How explanations name the stage at a path. */
export const stageName = (path: Path): string => ["root", ...path.map((at) => `prefetch[${at}]`)].join(".");

/** How many stages there are. */
export const stageCount = (stage: Stage): number =>
  1 + (stage.prefetch ?? []).reduce((sum, child) => sum + stageCount(child), 0);
