/** Where the operators of a plan stand in its picture: inputs below, each operator over the middle of its inputs. */

import type { PlanNode } from "../api/types";

export const NODE = { width: 208, height: 70 };
export const GAP = { x: 22, y: 30 };
const MARGIN = 10;

export interface Placed {
  node: PlanNode;
  /** Its position in the tree: those of its ancestors and its own among its siblings. */
  path: string;
  parent: string | undefined;
  x: number;
  y: number;
}

export interface Layout {
  placed: Placed[];
  width: number;
  height: number;
}

/** The places of all operators, the root first. */
export function layout(root: PlanNode): Layout {
  const placed: Placed[] = [];
  let right = MARGIN;
  let deepest = 0;
  const place = (node: PlanNode, path: string, parent: string | undefined, depth: number): Placed => {
    const mine: Placed = { node, path, parent, x: 0, y: MARGIN + depth * (NODE.height + GAP.y) };
    placed.push(mine);
    deepest = Math.max(deepest, depth);
    const below = (node.children ?? []).map((child, at) => place(child, `${path}.${at}`, path, depth + 1));
    if (below.length) mine.x = (below[0]!.x + below.at(-1)!.x) / 2;
    else {
      mine.x = right;
      right += NODE.width + GAP.x;
    }
    return mine;
  };
  place(root, "0", undefined, 0);
  return {
    placed,
    width: right - GAP.x + MARGIN,
    height: 2 * MARGIN + deepest * (NODE.height + GAP.y) + NODE.height,
  };
}

/** Rows that an operator did not pass on; undefined before it ran. */
export function dropped(node: PlanNode): number | undefined {
  if (node.rowsIn === undefined || node.rowsOut === undefined) return undefined;
  return Math.max(0, Number(node.rowsIn) - Number(node.rowsOut));
}

/** The rows that go up from an operator: actual ones, or the most that are expected. */
export const rowsUp = (node: PlanNode): number => Number(node.rowsOut ?? node.estimatedRows ?? 0);

/** Microseconds of an operator and of all below it. */
export const totalTime = (node: PlanNode): number =>
  Number(node.microseconds ?? 0) + (node.children ?? []).reduce((sum, child) => sum + totalTime(child), 0);

const TOLD = ["limit", "using", "metric", "fields", "k", "weights", "path", "payload", "filter"];

/** What an operator does, in a few words. */
export function about(node: PlanNode): string {
  const attributes = node.attributes ?? {};
  const told = TOLD.filter((name) => attributes[name] !== undefined && !(name === "weights" && /^1(, 1)*$/.test(attributes[name] ?? "")));
  const filter = told.includes("filter") && node.operator === "gate" ? [`${attributes["filter"]}`] : undefined;
  return (filter ?? told.slice(0, 3).map((name) => (name === "filter" ? "filtered" : `${name} ${attributes[name]}`))).join(" · ");
}
