import { describe, expect, test } from "vitest";
import type { Stage } from "../../src/api/types";
import { duplicated, moved, replaced, stageAt, stageCount, stageName, unwrapped, withChild, without, wrapped } from "../../src/query/tree";

const leaf = (name: string): Stage => ({ query: { bm25: { text: name } }, limit: 50 });
const root: Stage = { query: { rrf: {} }, limit: 10, offset: 2, prefetch: [leaf("a"), { query: { rrf: {} }, prefetch: [leaf("b"), leaf("c")] }] };
const texts = (stage: Stage): string => `${JSON.stringify(Object.values(stage.query ?? {})[0])}(${(stage.prefetch ?? []).map(texts).join()})`;

describe("trees of stages", () => {
  test("are changed at a path, and nowhere else", () => {
    const before = structuredClone(root);
    const next = replaced(root, [1, 0], leaf("x"));
    expect(stageAt(next, [1, 0])).toEqual(leaf("x"));
    expect(stageAt(next, [1, 1])).toBe(stageAt(root, [1, 1]));
    expect(root).toEqual(before);
    expect(stageName([1, 0])).toBe("root.prefetch[1].prefetch[0]");
    expect(stageCount(root)).toBe(5);
  });
  test("a new root keeps what only a root has, and what was the root loses it", () => {
    const next = wrapped(root, [], { rescore: { metric: "METRIC_DOT" } });
    expect([next.limit, next.offset]).toEqual([10, 2]);
    expect(next.prefetch).toHaveLength(1);
    expect(next.prefetch?.[0]).toEqual({ query: { rrf: {} }, limit: 100, prefetch: root.prefetch });
    expect(unwrapped(next, [])).toEqual({ ...root });
  });
  test("a stage that loses its only prefetch is a leaf", () => {
    const one = without(without(root, [1, 1]), [1, 0]);
    expect(stageAt(one, [1])).toEqual({ query: { rrf: {} } });
    expect(without(root, [])).toBe(root);
  });
  test("stages are added, copied and moved", () => {
    expect(stageAt(withChild(root, [1], leaf("d")), [1, 2])).toEqual(leaf("d"));
    expect(texts(duplicated(root, [0]))).toBe(texts({ ...root, prefetch: [leaf("a"), ...root.prefetch!] }));
    expect(texts(moved(root, [0], 1))).toBe(texts({ ...root, prefetch: [...root.prefetch!].reverse() }));
    expect(moved(root, [0], -1)).toBe(root);
    expect(moved(root, [1], 1)).toBe(root);
  });
});
