/** Vectors as people type them: `1, 0.5`, `{3: 0.5, 7: 1}` for sparse ones, `[[1, 2], [3, 4]]` for several. */

import { parseRequest } from "../api/json";
import type { Vector } from "../api/types";

/** The vector of a text. Throws an Error that says what is expected. */
export function vectorOf(text: string): Vector {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return sparseOf(trimmed);
  const json = parseRequest(trimmed.startsWith("[") ? trimmed : `[${trimmed.split(/[\s,]+/).filter(Boolean).join(",")}]`);
  if (!Array.isArray(json)) throw new Error("a list of numbers is expected");
  if (json.some(Array.isArray)) {
    const rows = json as number[][];
    if (!rows.every((row) => Array.isArray(row) && row.every(isNumber))) throw new Error("lists of numbers are expected");
    return { multi: { vectors: rows.map((values) => ({ values })) } };
  }
  if (!json.every(isNumber)) throw new Error("a list of numbers is expected");
  return { dense: { values: json as number[] } };
}

function sparseOf(text: string): Vector {
  const pairs = text
    .replace(/^\{|\}$/g, "")
    .split(",")
    .filter((pair) => pair.trim())
    .map((pair) => pair.split(":").map((part) => Number(part.trim().replace(/^"|"$/g, ""))));
  if (!pairs.every((pair) => pair.length === 2 && pair.every(Number.isFinite))) throw new Error("index: value, … is expected in braces");
  return { sparse: { indices: pairs.map((pair) => pair[0]!), values: pairs.map((pair) => pair[1]!) } };
}

/** A vector as a person types it. */
export function textOfVector(vector: Vector | undefined): string {
  if (vector?.sparse) {
    const { indices = [], values = [] } = vector.sparse;
    return `{${indices.map((index, at) => `${index}: ${values[at] ?? 0}`).join(", ")}}`;
  }
  if (vector?.multi) return JSON.stringify((vector.multi.vectors ?? []).map((row) => row.values ?? []));
  return (vector?.dense?.values ?? []).join(", ");
}

const isNumber = (value: unknown): value is number => typeof value === "number";
