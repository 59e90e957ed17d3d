/** Filters as a list of conditions, all of which must hold, and as the server's text. docs/filters.md has the grammar. */

export interface Row {
  path: string;
  test: string;
  operand: string;
}

/** Tests of the form. Those without an operand have `needs` none. */
export const TESTS: readonly { name: string; label: string; needs: "value" | "list" | "string" | "none" }[] = [
  { name: "==", label: "is", needs: "value" },
  { name: "!=", label: "is not", needs: "value" },
  { name: "<", label: "<", needs: "value" },
  { name: "<=", label: "≤", needs: "value" },
  { name: ">", label: ">", needs: "value" },
  { name: ">=", label: "≥", needs: "value" },
  { name: "in", label: "is one of", needs: "list" },
  { name: "not in", label: "is none of", needs: "list" },
  { name: "text", label: "has the words", needs: "string" },
  { name: "phrase", label: "has the phrase", needs: "string" },
  { name: "starts_with", label: "starts with", needs: "string" },
  { name: "contains", label: "contains", needs: "string" },
  { name: "glob", label: "matches the glob", needs: "string" },
  { name: "regex", label: "matches the regex", needs: "string" },
  { name: "exists", label: "exists", needs: "none" },
  { name: "is_null", label: "is null", needs: "none" },
  { name: "is_empty", label: "is empty", needs: "none" },
];

export const testOf = (name: string) => TESTS.find((test) => test.name === name) ?? TESTS[0]!;

/** The text of the rows that have a path; empty when there is none. */
export const textOf = (rows: Row[]): string =>
  rows
    .filter((row) => row.path.trim())
    .map(conditionText)
    .join(" and ");

function conditionText(row: Row): string {
  const path = pathText(row.path.trim());
  const test = testOf(row.test);
  if (test.needs === "none") return `${test.name}(${path})`;
  if (test.needs === "string") return `${test.name}(${path}, ${JSON.stringify(row.operand)})`;
  if (test.needs === "list") return `${path} ${test.name} [${listOf(row.operand).map(literal).join(", ")}]`;
  return `${path} ${test.name} ${literal(row.operand)}`;
}

/** A path as the grammar takes it: other than plain keys are in backquotes. */
export const pathText = (path: string): string =>
  !/^(and|or|not|in|true|false)$/.test(path) && /^(\$id|[A-Za-z_]\w*(\[\])?(\.[A-Za-z_]\w*(\[\])?)*)$/.test(path) ? path : `\`${path}\``;

/** What a person typed, as a literal: numbers, true, false and quoted strings as they are, all else as a string. */
export function literal(typed: string): string {
  const text = typed.trim();
  if (/^(true|false|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(text) || /^datetime\(".*"\)$/.test(text)) return text;
  return isQuoted(text) ? text : JSON.stringify(typed);
}

function isQuoted(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "string";
  } catch {
    return false;
  }
}

/** The entries of a list: separated by commas outside of quotes. */
function listOf(typed: string): string[] {
  const inner = typed.trim().replace(/^\[(.*)\]$/s, "$1");
  return [...inner.matchAll(/\s*("(?:[^"\\]|\\.)*"|[^,]+)/g)].map((match) => (match[1] ?? "").trim()).filter(Boolean);
}

const PATH = String.raw`(\$id|[A-Za-z_][\w.[\]]*|\`[^\`]*\`)`;
const COMPARED = new RegExp(`^${PATH}\\s*(==|!=|<=|>=|<|>|not in|in)\\s*(.+)$`, "s");
const CALLED = new RegExp(`^(\\w+)\\(\\s*${PATH}\\s*(?:,\\s*("(?:[^"\\\\]|\\\\.)*")\\s*)?\\)$`, "s");

/** The rows of a text, if it is a plain list of conditions of the form. Undefined otherwise. */
export function rowsOf(text: string): Row[] | undefined {
  if (!text.trim()) return [];
  const rows = splitAnd(text)?.map(rowOf);
  if (!rows?.every((row): row is Row => row !== undefined)) return undefined;
  return rows;
}

function rowOf(condition: string): Row | undefined {
  const called = CALLED.exec(condition);
  if (called) {
    const [, name = "", path = "", quoted] = called;
    const test = TESTS.find((each) => each.name === name);
    if (!test || (test.needs === "string") !== (quoted !== undefined) || test.needs === "value") return undefined;
    return { path: barePath(path), test: name, operand: quoted === undefined ? "" : (JSON.parse(quoted) as string) };
  }
  const compared = COMPARED.exec(condition);
  if (!compared) return undefined;
  const [, path = "", test = "", operand = ""] = compared;
  const isList = testOf(test).needs === "list";
  const value = operand.trim();
  if (isList ? !/^\[[^[\]]*\]$/.test(value) : literal(value) !== value) return undefined;
  return { path: barePath(path), test, operand: isList ? value.slice(1, -1) : unquoted(value) };
}

const barePath = (path: string): string => path.replace(/^`|`$/g, "");

/** A string literal without its quotes where that means the same. */
function unquoted(value: string): string {
  if (!isQuoted(value)) return value;
  const bare = JSON.parse(value) as string;
  return bare && literal(bare) === JSON.stringify(bare) ? bare : value;
}

/** The conditions between the words `and`, outside of strings. Undefined if parentheses group or other words join. */
function splitAnd(text: string): string[] | undefined {
  const parts: string[] = [];
  let part = "";
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|\b\w+\b|\s+|./gs)) {
    if (token === "or") return undefined;
    if (token === "and") {
      parts.push(part.trim());
      part = "";
    } else part += token;
  }
  parts.push(part.trim());
  return parts.some((each) => !each || /^(\(|not\b)/.test(each)) ? undefined : parts;
}
