/** JSON whose numbers keep their digits: JavaScript's own parser rounds integers above 2^53. */

/** A number as it was written. */
export class NumberText {
  constructor(readonly text: string) {}

  /** Whether it is written as an integer: without a point and an exponent. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text);
  }
}

export type ExactJson = null | boolean | string | NumberText | ExactJson[] | { [key: string]: ExactJson };
export type Json = null | boolean | string | number | Json[] | { [key: string]: Json };

const MAX_DEPTH = 200;

/** Why a text is no JSON, with the line and the column, both from 1. */
export class JsonError extends Error {
  constructor(
    readonly what: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(`line ${line}, column ${column}: ${what}`);
  }
}

/** The value of a JSON text. Throws JsonError. */
export function parseExact(text: string): ExactJson {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** The value of a JSON text as a request has it: integers beyond 2^53 become strings, which the server takes for them. */
export function parseRequest(text: string): Json {
  return withPlainNumbers(parseExact(text));
}

/** The same for an object. Throws JsonError. */
export function parseRequestObject(text: string): Record<string, Json> {
  const value = parseRequest(text);
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new JsonError("an object is expected", 1, 1);
  return value;
}

/** The value with JavaScript's numbers where these can hold them, and strings for larger ones. */
export function withPlainNumbers(value: ExactJson): Json {
  if (value instanceof NumberText) {
    const number = Number(value.text);
    const isExact = value.isInteger ? Number.isSafeInteger(number) : Number.isFinite(number);
    return isExact ? number : value.text;
  }
  if (Array.isArray(value)) return value.map(withPlainNumbers);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withPlainNumbers(each)]));
  return value;
}

const ESCAPES: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", "/": "/" };
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]+/y;
const WORDS: [string, null | boolean][] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): ExactJson {
    if (depth > MAX_DEPTH) throw this.error(`more than ${MAX_DEPTH} levels`);
    this.space();
    const start = this.text[this.at];
    if (start === "{") return this.object(depth);
    if (start === "[") return this.array(depth);
    if (start === '"') return this.string();
    for (const [word, value] of WORDS)
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text)?.[0];
    if (!number) throw this.error(start === undefined ? "the text ends too early" : "a value is expected");
    this.at += number.length;
    return new NumberText(number);
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw this.error("the end of the text is expected");
  }

  private object(depth: number): { [key: string]: ExactJson } {
    const entries: [string, ExactJson][] = [];
    const names = new Set<string>();
    this.at++;
    if (this.has("}")) return {};
    do {
      this.space();
      if (this.text[this.at] !== '"') throw this.error("a name in double quotes is expected");
      const name = this.string();
      if (names.has(name)) throw this.error(`the name ${JSON.stringify(name)} is there twice`);
      names.add(name);
      if (!this.has(":")) throw this.error("a colon is expected");
      entries.push([name, this.value(depth + 1)]);
    } while (this.has(","));
    if (!this.has("}")) throw this.error("a comma or } is expected");
    return Object.fromEntries(entries);
  }

  private array(depth: number): ExactJson[] {
    const values: ExactJson[] = [];
    this.at++;
    if (this.has("]")) return values;
    do values.push(this.value(depth + 1));
    while (this.has(","));
    if (!this.has("]")) throw this.error("a comma or ] is expected");
    return values;
  }

  private string(): string {
    let written = "";
    this.at++;
    for (;;) {
      PLAIN.lastIndex = this.at;
      written += PLAIN.exec(this.text)?.[0] ?? "";
      this.at = PLAIN.lastIndex || this.at;
      const character = this.text[this.at];
      if (character === undefined) throw this.error("the text ends within a string");
      if (character < " ") throw this.error("a control character within a string");
      this.at++;
      if (character === '"') return written;
      written += this.escape();
    }
  }

  private escape(): string {
    const kind = this.text[this.at++] ?? "";
    if (kind !== "u") {
      const character = ESCAPES[kind];
      if (character === undefined) throw this.error("no such escape");
      return character;
    }
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.error("four hexadecimal digits are expected");
    this.at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  private has(mark: string): boolean {
    this.space();
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  private error(what: string): JsonError {
    const before = this.text.slice(0, this.at).split("\n");
    return new JsonError(what, before.length, (before.at(-1)?.length ?? 0) + 1);
  }
}
