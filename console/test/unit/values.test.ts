import { describe, expect, test } from "vitest";
import { parseExact } from "../../src/api/json";
import { idOf, idText, payloadOf, payloadText, type PointId } from "../../src/api/values";
import { textOfVector, vectorOf } from "../../src/query/vectors";

describe("ids", () => {
  test("come back from their text as they are", () => {
    const ids: PointId[] = [{ number: "0" }, { number: "18446744073709551615" }, { key: "a-1" }, { key: "42" }, { key: '"x"' }, { key: " x " }, { key: "18446744073709551616" }, { key: "a\nb" }];
    for (const id of ids) expect(idOf(idText(id)), idText(id)).toEqual(id);
  });
  test("are numbers when they are digits, and keys otherwise", () => {
    expect(idOf(" 9007199254740993 ")).toEqual({ number: "9007199254740993" });
    expect(idOf("18446744073709551616")).toEqual({ key: "18446744073709551616" });
    expect(idOf("-1")).toEqual({ key: "-1" });
    expect(idOf('"7"')).toEqual({ key: "7" });
    expect(idOf("  ")).toBeUndefined();
  });
});

describe("payloads", () => {
  const text = '{"large": 9223372036854775807, "double": 5.0, "tiny": 1e-7, "text": "<b>", "none": null, "yes": true, "list": [1, [2.5]], "in": {"a": -1}}';
  test("keep the kind and the digits of numbers", () => {
    const payload = payloadOf(parseExact(text) as never);
    expect(payload.fields?.["large"]).toEqual({ integerValue: "9223372036854775807" });
    expect(payload.fields?.["double"]).toEqual({ doubleValue: 5 });
    expect(payload.fields?.["none"]).toEqual({ nullValue: "NULL_VALUE_UNSPECIFIED" });
    expect(payloadOf(parseExact(payloadText(payload)) as never)).toEqual(payload);
  });
  test("refuse numbers that cannot be stored", () => {
    expect(() => payloadOf(parseExact('{"a": 9223372036854775808}') as never)).toThrow("64 bits");
    expect(() => payloadOf(parseExact('{"a": 1e999}') as never)).toThrow("too large");
  });
});

describe("vectors", () => {
  test("are read in each form, and written so that they are read again", () => {
    for (const [text, vector] of [
      ["1, 0.5 -2", { dense: { values: [1, 0.5, -2] } }],
      ["[1, 2]", { dense: { values: [1, 2] } }],
      ["{3: 0.5, 7: 1}", { sparse: { indices: [3, 7], values: [0.5, 1] } }],
      ["[[1, 2], [3, 4]]", { multi: { vectors: [{ values: [1, 2] }, { values: [3, 4] }] } }],
    ] as const) {
      expect(vectorOf(text)).toEqual(vector);
      expect(vectorOf(textOfVector(vectorOf(text)))).toEqual(vector);
    }
  });
  test("are refused when they are none", () => {
    for (const text of ["a, b", "[1, null]", "{1}", "[1, [2]]", "1,, x"]) expect(() => vectorOf(text), text).toThrow();
  });
});
