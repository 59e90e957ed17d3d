import { describe, expect, test } from "vitest";
import { parseRequest } from "../../src/api/json";
import { summary } from "../../src/query/kinds";
import { asStage } from "../../src/query/shape";
import { pythonText } from "../../src/query/python_text";

describe("queries as JSON", () => {
  test("of another shape are refused by the name of what is wrong", () => {
    for (const [text, problem] of [
      ["[]", "the query is not an object"],
      ['{"prefetch": 5}', "prefetch is not a list"],
      ['{"prefetch": [{"prefetch": [null]}]}', "prefetch[0].prefetch[0] is not an object"],
      ['{"query": []}', "query is not an object"],
      ['{"query": {"rrf": null}}', "query.rrf is not an object"],
      ['{"query": {"rrf": {"weights": 1}}}', "query.rrf.weights is not a list"],
      ['{"prefetch": [{"limit": "x"}]}', "prefetch[0].limit is not a number"],
      ['{"using": 1}', "using is not a text"],
      ['{"filter": "price < 1"}', "filter is not an object"],
      ['{"query": {"nearest": {"id": 7}}}', "query.nearest.id is not an object"],
      ['{"query": {"nearest": {"id": {}}}}', "neither a number nor a key"],
      ['{"query": {"recommend": {"positive": [1]}}}', "query.recommend.positive[0] is not an object"],
      ['{"query": {"bm25": {"fields": ["title"]}}}', "query.bm25.fields[0] is not an object"],
    ] as const)
      expect(() => asStage(parseRequest(text)), text).toThrow(problem);
  });
  test("keep the digits of ids, also of those that were written as numbers", () => {
    const stage = asStage(parseRequest('{"query": {"nearest": {"id": {"number": 18446744073709551615}}}}'));
    expect(summary(stage)).toBe("nearest to point 18446744073709551615");
    const small = asStage(parseRequest('{"query": {"nearest": {"id": {"number": 7}}}}'));
    expect(pythonText("a", small)).toContain("query=7,");
  });
  test("may have fields and kinds that the console does not know", () => {
    const stage = asStage(parseRequest('{"query": {"later": {"x": 1}}, "somethingNew": [1]}'));
    expect(stage["somethingNew"]).toEqual([1]);
    expect(summary(stage)).toBe("later");
    expect(pythonText("a", stage)).toContain("points_pb2");
  });
});
