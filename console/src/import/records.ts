/** Reads a file, piece by piece: the objects of JSON Lines, or the rows of CSV. Each record comes with its line. */

import { JsonError, NumberText, parseExact, type ExactJson } from "../api/json";

export interface FileRecord {
  /** The line on which it starts, from 1. */
  line: number;
  /** Its values by name; undefined when it is wrong. */
  values: { [name: string]: ExactJson } | undefined;
  problem: string;
}

/** The first line of an export of Headwater, which says how its collection is made. */
export const HEAD = "headwater";
const MOST_LINE = 16 * 2 ** 20;

/** Whether the name is that of a kind of file that can be read. */
export const isKnown = (name: string): boolean => /\.(jsonl|ndjson|csv|tsv)(\.gz)?$/i.test(name);

/** The records of a file, by the ending of its name. `report` is told how many of its bytes were read. */
export async function* recordsOf(file: File, report: (bytes: number) => void = () => {}): AsyncGenerator<FileRecord> {
  const texts = textsOf(file, report);
  const kind = file.name.toLowerCase().replace(/\.gz$/, "");
  if (kind.endsWith(".csv")) yield* csvRecords(texts, ",");
  else if (kind.endsWith(".tsv")) yield* csvRecords(texts, "\t");
  else yield* jsonRecords(texts);
}

async function* textsOf(file: File, report: (bytes: number) => void): AsyncGenerator<string> {
  let read = 0;
  const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      read += piece.byteLength;
      report(read);
      controller.enqueue(piece);
    },
  });
  let bytes: ReadableStream<Uint8Array<ArrayBuffer>> = file.stream().pipeThrough(counting);
  if (/\.gz$/i.test(file.name)) bytes = bytes.pipeThrough(new DecompressionStream("gzip"));
  // A decoder that is not `fatal` would replace bytes that are no UTF-8, and store something else than the file has.
  const reader = bytes.pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(async () => {
        throw new Error(`The file cannot be read: ${await reasonFor(file)}`);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Why a file cannot be read to its end. Browsers read no file that was changed since it was chosen. */
async function reasonFor(file: File): Promise<string> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    return "it was changed or removed since it was chosen. Choose it again.";
  }
  return /\.gz$/i.test(file.name) ? "it is no gzip, is cut, or has no UTF-8 text in it." : "it is no UTF-8 text.";
}

/** The objects of JSON Lines. A line that is none is a record with a problem. */
export async function* jsonRecords(texts: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let rest = "";
  let line = 0;
  const record = (text: string): FileRecord[] => {
    line++;
    return text.trim() ? [jsonRecord(text, line)] : [];
  };
  for await (const text of texts) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MOST_LINE) throw new Error(`line ${line + 1} has more than ${MOST_LINE} characters`);
    for (const each of lines) yield* record(each);
  }
  yield* record(rest);
}

function jsonRecord(text: string, line: number): FileRecord {
  try {
    const value = parseExact(text);
    if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof NumberText)
      return { line, values: undefined, problem: "this is not a JSON object" };
    return { line, values: value, problem: "" };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { line, values: undefined, problem: `column ${error.column}: ${error.what}` };
  }
}

/** The rows of CSV (RFC 4180), with the names of the first row. */
export async function* csvRecords(texts: AsyncIterable<string>, delimiter: string): AsyncGenerator<FileRecord> {
  let names: string[] | undefined;
  for await (const { line, cells } of rowsOf(texts, delimiter)) {
    if (!names) {
      names = cells;
      const twice = names.find((name, at) => names!.indexOf(name) !== at);
      if (twice !== undefined) throw new Error(`the first row has the name ${JSON.stringify(twice)} twice`);
      continue;
    }
    if (cells.length !== names.length) {
      yield { line, values: undefined, problem: `it has ${cells.length} columns, and the first row ${names.length}` };
      continue;
    }
    const filled = names.flatMap((name, at): [string, ExactJson][] => (cells[at] === "" ? [] : [[name, cellValue(cells[at] ?? "")]]));
    yield { line, values: Object.fromEntries(filled), problem: "" };
  }
}

/** The value of a cell: a number, true, false, a list or an object where it is one in JSON, else text, as `007` is. */
export function cellValue(text: string): ExactJson {
  if (!/^[-0-9[{tf]/.test(text) || /^-?0\d/.test(text)) return text;
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

async function* rowsOf(texts: AsyncIterable<string>, delimiter: string): AsyncGenerator<{ line: number; cells: string[] }> {
  let [cells, cell]: [string[], string] = [[], ""];
  let state: "start" | "plain" | "quoted" | "quote" = "start";
  let [line, start, isFirst] = [1, 1, true];
  const endRow = () => {
    const row = { line: start, cells: [...cells, cell] };
    const isEmpty = row.cells.length === 1 && cell === "" && state === "start";
    [cells, cell, state, start] = [[], "", "start", line];
    return isEmpty ? [] : [row];
  };
  for await (const piece of texts) {
    const text = isFirst ? piece.replace(/^\uFEFF/, "") : piece;
    isFirst = false;
    for (const character of text) {
      if (character === "\n") line++;
      if (state === "quoted") {
        if (character === '"') state = "quote";
        else cell += character;
      } else if (character === '"' && (state === "start" || state === "quote")) {
        if (state === "quote") cell += '"';
        state = "quoted";
      } else if (character === delimiter) {
        cells.push(cell);
        [cell, state] = ["", "start"];
      } else if (character === "\n") yield* endRow();
      else if (character !== "\r") {
        if (state === "quote") throw new Error(`line ${line}: a quoted cell goes on after its closing quote`);
        cell += character;
        state = "plain";
      }
    }
  }
  if (state === "quoted") throw new Error(`line ${start}: a quoted cell has no closing quote`);
  yield* endRow();
}
