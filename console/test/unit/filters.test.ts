import { describe, expect, test } from "vitest";
import { literal, pathText, rowsOf, textOf, type Row } from "../../src/points/filter_text";

const ROWS: [Row[], string][] = [
  [[{ path: "price", test: "<", operand: "200" }], "price < 200"],
  [[{ path: "colour", test: "==", operand: "red" }], 'colour == "red"'],
  [[{ path: "code", test: "==", operand: '"7"' }], 'code == "7"'],
  [[{ path: "a.b[]", test: "!=", operand: "true" }], "a.b[] != true"],
  [[{ path: "größe in cm", test: ">=", operand: "1.5e3" }], "`größe in cm` >= 1.5e3"],
  [[{ path: "$id", test: "starts_with", operand: "user-" }], 'starts_with($id, "user-")'],
  [[{ path: "x", test: "exists", operand: "" }], "exists(x)"],
  [[{ path: "t", test: "contains", operand: 'a "b" and c' }], 'contains(t, "a \\"b\\" and c")'],
  [
    [
      { path: "a", test: "==", operand: "1" },
      { path: "b", test: "is_null", operand: "" },
    ],
    "a == 1 and is_null(b)",
  ],
];

describe("filters of the form", () => {
  test.each(ROWS)("%j is %s", (rows, text) => {
    expect(textOf(rows)).toBe(text);
    expect(rowsOf(text)).toEqual(rows);
  });
  test("lists are read back with the same meaning", () => {
    const text = textOf([{ path: "size", test: "not in", operand: '1, red, "a, b", 2.5' }]);
    expect(text).toBe('size not in [1, "red", "a, b", 2.5]');
    expect(textOf(rowsOf(text)!)).toBe(text);
  });
  test("rows without a path say nothing", () => {
    expect(textOf([{ path: " ", test: "==", operand: "1" }])).toBe("");
    expect(rowsOf("  ")).toEqual([]);
  });
  test("texts that are no plain list of conditions stay text", () => {
    for (const text of ["a == 1 or b == 2", 'a == datetime("2026-01-01") or b == datetime("2026-01-02")', "not a == 1", "(a == 1)", "a ==", "nested(a, b == 1)", "values_count(a) >= 2", "a == 1 and", "contains(a)", "exists(a, \"x\")", "at_least(1, a == 1)"])
      expect(rowsOf(text), text).toBeUndefined();
  });
  test("words of the grammar are no plain paths", () => {
    for (const path of ["and", "or", "not", "in", "true", "false"]) expect(pathText(path)).toBe(`\`${path}\``);
  });
  test("what is typed is a string unless it is a literal", () => {
    expect(["7", "07", "-1.5", "true", "True", '"7"', "", "red", '"', 'datetime("2026-01-01")'].map(literal)).toEqual(["7", '"07"', "-1.5", "true", '"True"', '"7"', '""', '"red"', '"\\""', 'datetime("2026-01-01")']);
  });
});
