import { describe, expect, test } from "vitest";
import { parseExact } from "../../src/api/json";
import { guess, pointOf } from "../../src/import/points";
import { cellValue, csvRecords, jsonRecords, recordsOf, type FileRecord } from "../../src/import/records";

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function all(records: AsyncIterable<FileRecord>): Promise<FileRecord[]> {
  const found = [];
  for await (const record of records) found.push(record);
  return found;
}

describe("JSON Lines", () => {
  test("are the same however the file comes in pieces", async () => {
    const text = '{"id": 9007199254740993, "vector": [1, 2]}\r\n\n{"id": "é"}\n[1]\n{"id": ';
    const whole = await all(jsonRecords(pieces(text, 1000)));
    expect(whole.map((record) => [record.line, record.problem !== ""])).toEqual([
      [1, false],
      [3, false],
      [4, true],
      [5, true],
    ]);
    for (const size of [1, 2, 7]) expect(await all(jsonRecords(pieces(text, size)))).toEqual(whole);
  });
});

describe("CSV", () => {
  const text = '\uFEFFid,title,price\r\n1,"Red, ""fine""\nboot",20.5\n2,,30\n\n3,x\n007,y,true\n';
  test("has quotes, lines within cells, empty cells and rows of another length", async () => {
    const whole = await all(csvRecords(pieces(text, 1000), ","));
    expect(whole.map((record) => [record.line, record.values && Object.keys(record.values)])).toEqual([
      [2, ["id", "title", "price"]],
      [4, ["id", "price"]],
      [6, undefined],
      [7, ["id", "title", "price"]],
    ]);
    expect(whole[0]?.values?.["title"]).toBe('Red, "fine"\nboot');
    expect(whole[3]?.values?.["id"]).toBe("007");
    for (const size of [1, 3]) expect(await all(csvRecords(pieces(text, size), ","))).toEqual(whole);
  });
  test("that is cut or ambiguous is refused", async () => {
    await expect(all(csvRecords(pieces('a\n"x', 9), ","))).rejects.toThrow("closing quote");
    await expect(all(csvRecords(pieces("a,a\n1,2", 9), ","))).rejects.toThrow("twice");
  });
  test("cells are values where they are JSON", () => {
    expect(["007", "abc", "true", "[1", "-x"].map(cellValue)).toEqual(["007", "abc", true, "[1", "-x"]);
  });
});

describe("files", () => {
  test("compressed ones are read, and bytes that are no UTF-8 are refused", async () => {
    const packed = await new Response(new Blob(['{"id": 1}\n']).stream().pipeThrough(new CompressionStream("gzip"))).blob();
    expect(await all(recordsOf(new File([packed], "a.jsonl.gz")))).toHaveLength(1);
    await expect(all(recordsOf(new File([new Uint8Array([0x7b, 0xff, 0x7d])], "a.jsonl")))).rejects.toThrow("UTF-8");
  });
});

describe("points", () => {
  const values = async (line: string) => (await all(jsonRecords(pieces(line, 1000))))[0]!.values!;
  test("of exports keep every digit", async () => {
    const point = pointOf(await values('{"id": 18446744073709551615, "vectors": {"text": [0.25, -1.5], "s": {"indices": [4294967295], "values": [1]}}, "payload": {"n": 9223372036854775807}}'), { idColumn: "id", vectorColumns: {} }, 0);
    expect(point).toEqual({
      id: { number: "18446744073709551615" },
      vectors: { text: { dense: { values: [0.25, -1.5] } }, s: { sparse: { indices: [4294967295], values: [1] } } },
      payload: { fields: { n: { integerValue: "9223372036854775807" } } },
    });
  });
  test("of other objects have the chosen id and vectors, and all else as payload", async () => {
    const record = await values('{"sku": "a", "v": "[1, 2]", "w": [[1], [2]], "none": null, "x": {"y": 1}}');
    expect(pointOf(record, { idColumn: "sku", vectorColumns: { "": "v", m: "w" } }, 5)).toEqual({
      id: { key: "a" },
      vectors: { "": { dense: { values: [1, 2] } }, m: { multi: { vectors: [{ values: [1] }, { values: [2] }] } } },
      payload: { fields: { x: { structValue: { fields: { y: { integerValue: "1" } } } } } },
    });
    expect(pointOf({ a: "b" }, { idColumn: "", vectorColumns: {} }, 5).id).toEqual({ number: "5" });
  });
  test("that are wrong say what is wrong", () => {
    const reading = { idColumn: "id", vectorColumns: { "": "v" } };
    for (const [line, problem] of [
      ['{"v": [1]}', '"id"'],
      ['{"id": 1.5}', "integer"],
      ['{"id": -1}', "integer"],
      ['{"id": ""}', "integer"],
      ['{"id": 1, "v": 7}', "v is not a vector"],
      ['{"id": 1, "v": [1, "x"]}', "finite"],
      ['{"id": 1, "v": [1e999]}', "finite"],
      ['{"id": 1, "v": [1], "n": 1e999}', "too large"],
    ] as const)
      expect(() => pointOf(parseExact(line) as never, reading, 0), line).toThrow(problem);
  });
  test("are guessed from the first lines", async () => {
    const found = await all(jsonRecords(pieces('{"id": 1, "title": "x", "embedding": [1, 2, 3], "tags": ["a", "b"]}\n', 1000)));
    expect(guess(found)).toEqual({ columns: ["id", "title", "embedding", "tags"], reading: { idColumn: "id", vectorColumns: { "": "embedding" } }, sizes: { "": 3 } });
    const two = await all(jsonRecords(pieces('{"a": [1, 2], "b": [1, 2, 3]}\n', 1000)));
    expect(guess(two)).toMatchObject({ reading: { idColumn: "", vectorColumns: { a: "a", b: "b" } }, sizes: { a: 2, b: 3 } });
  });
});
