import { describe, expect, test } from "vitest";
import { compared, movement } from "../../src/compare/ranks";
import { byLabel, histogramQuantile, parsed, rate, sum } from "../../src/metrics/exposition";
import { about, dropped, layout, NODE, totalTime } from "../../src/plan/layout";
import { bytes, count, duration, percent, word } from "../../src/parts/numbers";
import { numbersOf } from "../../src/recall/RecallPage";
import { quantile } from "../../src/recall/measure";
import { placeOf } from "../../src/shell/router";

const PAGE = (requests: number, fast: number) => `# HELP headwater_requests_total Requests.
# TYPE headwater_requests_total counter
headwater_requests_total{method="Points/Query",status="OK"} ${requests}.0
headwater_requests_total{method="a\\"b\\\\c",status="OK"} 2.0
# HELP headwater_request_seconds Times.
# TYPE headwater_request_seconds histogram
headwater_request_seconds_bucket{le="0.1"} ${fast}.0
headwater_request_seconds_bucket{le="1"} ${fast + 10}.0
headwater_request_seconds_bucket{le="+Inf"} ${fast + 10}.0
headwater_request_seconds_count ${fast + 10}.0
headwater_request_seconds_sum 3.5
not a metric
`;

describe("metrics", () => {
  const [before, now] = [parsed(PAGE(10, 0), 100), parsed(PAGE(30, 90), 110)];
  test("are summed, divided by labels, and told as rates", () => {
    expect(sum(now, "headwater_requests_total")).toBe(32);
    expect(byLabel(now, "headwater_requests_total", "method")).toEqual([
      ["Points/Query", 30],
      ['a"b\\c', 2],
    ]);
    expect(rate(before, now, "headwater_requests_total")).toBe(2);
    expect(rate(undefined, now, "headwater_requests_total")).toBeUndefined();
    expect(rate(now, before, "headwater_requests_total")).toBeUndefined();
    expect(sum(now, "headwater_nothing")).toBeUndefined();
  });
  test("quantiles are those between two readings", () => {
    expect(histogramQuantile(before, now, "headwater_request_seconds", 0.5)).toBeCloseTo(0.05);
    expect(histogramQuantile(now, now, "headwater_request_seconds", 0.5)).toBeUndefined();
    expect(histogramQuantile(undefined, before, "headwater_request_seconds", 0.5)).toBeCloseTo(0.55);
  });
});

describe("rank differences", () => {
  const hits = (...ids: string[]) => ids.map((key) => ({ id: { key } }));
  test("name what came, went, rose and fell", () => {
    const found = compared(hits("a", "b", "c", "d"), hits("b", "a", "c", "e"));
    expect(found.pairs.map((pair) => [pair.id, movement(pair)])).toEqual([
      ["a", "↓ 1"],
      ["b", "↑ 1"],
      ["c", "="],
      ["d", "gone"],
      ["e", "new"],
    ]);
    expect([found.both, found.overlap, found.meanShift]).toEqual([3, 0.6, 2 / 3]);
    expect(compared([], [])).toMatchObject({ overlap: 1, meanShift: 0 });
  });
});

describe("pictures of plans", () => {
  const leaf = { operator: "search", rowsIn: "9007199254740993", rowsOut: "10", microseconds: "7", attributes: { using: "text", limit: "10" } };
  const root = { operator: "rrf", rowsIn: "20", rowsOut: "20", microseconds: "3", children: [leaf, leaf, { operator: "limit", children: [leaf] }] };
  test("no two operators overlap, and inputs are below", () => {
    const { placed, width, height } = layout(root);
    expect(placed).toHaveLength(5);
    for (const one of placed) {
      expect(one.x >= 0 && one.x + NODE.width <= width && one.y + NODE.height <= height).toBe(true);
      for (const other of placed) if (one !== other && one.y === other.y) expect(Math.abs(one.x - other.x)).toBeGreaterThan(NODE.width);
      if (one.parent !== undefined) expect(one.y).toBeGreaterThan(placed.find((each) => each.path === one.parent)!.y);
    }
  });
  test("tell what is dropped, the time of all, and what an operator does", () => {
    expect([dropped(root), dropped(leaf) !== 0, dropped({ operator: "x" })]).toEqual([0, true, undefined]);
    expect(totalTime(root)).toBe(24);
    expect(about(leaf)).toBe("limit 10 · using text");
  });
});

describe("numbers", () => {
  test("stay exact or are rounded down", () => {
    expect(count("18446744073709551615")).toBe("18,446,744,073,709,551,615");
    expect([bytes("1023"), bytes(1536), bytes("3515600")]).toEqual(["1023 B", "1.5 KiB", "3.4 MiB"]);
    expect([duration("999"), duration(1500), duration(2.5e6)]).toEqual(["999 µs", "1.50 ms", "2.50 s"]);
    expect([percent(1), percent(0.99999), percent(0)]).toEqual(["100 %", "99.9 %", "0 %"]);
    expect(word("ABSENCE_REASON_NOT_IN_PREFETCHES", "ABSENCE_REASON_")).toBe("not in prefetches");
    expect(numbersOf("64, 8 8;x -16")).toEqual([8, 16, 64]);
    expect([quantile([1, 2, 3], 0.5), quantile([], 0.5)]).toEqual([2, 0]);
  });
  test("names in addresses are decoded, also wrong ones", () => {
    expect(placeOf("#/collections/a%2Fb%20%C3%A9/query")).toEqual(["collections", "a/b é", "query"]);
    expect(placeOf("#/collections/100%")).toEqual(["collections", "100%"]);
  });
});
