import { describe, expect, test } from "vitest";
import { JsonError, NumberText, parseExact, parseRequest, parseRequestObject } from "../../src/api/json";

describe("JSON with exact numbers", () => {
  test("is read as JavaScript reads it, where that is exact", () => {
    for (const text of ['{"a": [1, -2.5, 1e3, true, false, null, "x"], "b": {}}', "[]", '"\\u00e9\\n\\\\\\"/"', " 7 ", '"\u{1F600}"', '{"__proto__": 1}'])
      expect(JSON.stringify(parseRequest(text))).toBe(JSON.stringify(JSON.parse(text)));
  });
  test("keeps the digits of integers beyond 2^53, and of doubles that are too large", () => {
    expect(parseRequest("[9007199254740993, 18446744073709551615, -9223372036854775808, 1e999]")).toEqual(["9007199254740993", "18446744073709551615", "-9223372036854775808", "1e999"]);
    expect(parseExact("5.0")).toEqual(new NumberText("5.0"));
    expect((parseExact("5.0") as NumberText).isInteger).toBe(false);
  });
  test("tells the line and the column of what is wrong", () => {
    const wrong: [string, number, number][] = [
      ['{"a": 1,\n "b" 2}', 2, 6],
      ["[1, 2", 1, 6],
      ["", 1, 1],
      ["[01]", 1, 3],
      ['{"a": 1, "a": 2}', 1, 13],
      ['"a\nb"', 1, 3],
      ["1 2", 1, 3],
      ["[NaN]", 1, 2],
    ];
    for (const [text, line, column] of wrong) {
      const error = caught(() => parseExact(text));
      expect([error.line, error.column], text).toEqual([line, column]);
    }
    expect(() => parseRequestObject("[1]")).toThrow("an object is expected");
    expect(() => parseExact("[".repeat(1000))).toThrow("levels");
  });
});

function caught(act: () => unknown): JsonError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError);
    return error as JsonError;
  }
  throw new Error("nothing was thrown");
}
