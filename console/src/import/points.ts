/** Makes points of records: which value is the id, which are vectors, and that all others are payload. */

import { NumberText, withPlainNumbers, type ExactJson, type Json } from "../api/json";
import { idOf, payloadOf, type Payload, type PointId } from "../api/values";
import type { FileRecord } from "./records";

export interface PointStruct {
  id: PointId;
  vectors: { [space: string]: Json };
  payload: Payload;
}

/** How records become points. */
export interface Reading {
  /** The name of the value that is the id; empty: points are numbered. */
  idColumn: string;
  /** The name of the value that is the vector, by space. */
  vectorColumns: { [space: string]: string };
}

type Values = { [name: string]: ExactJson };

/** Whether the values are a point already: an id with `vectors` or `vector`, and perhaps a payload. */
export const isPoint = (values: Values): boolean =>
  "id" in values && ("vectors" in values || "vector" in values) && Object.keys(values).every((name) => ["id", "vectors", "vector", "payload"].includes(name));

/** The point of a record; `number` is its position in the file, from 0. Throws an Error that says what is wrong. */
export function pointOf(values: Values, reading: Reading, number: number): PointStruct {
  if (isPoint(values)) return pointOfPoint(values);
  const rest = { ...values };
  let id: PointId = { number: String(number) };
  if (reading.idColumn) {
    const given = rest[reading.idColumn];
    if (given === undefined || given === null) throw new Error(`it has no ${JSON.stringify(reading.idColumn)} to be its id`);
    id = idOfValue(given);
    delete rest[reading.idColumn];
  }
  const vectors: PointStruct["vectors"] = {};
  for (const [space, column] of Object.entries(reading.vectorColumns)) {
    const given = rest[column];
    if (given !== undefined && given !== null) vectors[space] = vectorOfValue(given, column);
    delete rest[column];
  }
  return { id, vectors, payload: payloadOf(withoutNulls(rest)) };
}

function pointOfPoint(values: Values): PointStruct {
  const given = values["vectors"] ?? values["vector"] ?? {};
  const isMap = isObject(given) && !("indices" in given);
  const vectors = Object.entries(isMap ? given : { "": given }).map(([space, vector]) => [space, vectorOfValue(vector, `vectors.${space}`)] as const);
  const payload = values["payload"] ?? {};
  if (!isObject(payload)) throw new Error("its payload is not an object");
  return { id: idOfValue(values["id"] ?? null), vectors: Object.fromEntries(vectors), payload: payloadOf(payload) };
}

const isObject = (value: ExactJson): value is Values => value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof NumberText);

const withoutNulls = (values: Values): Values => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

/** The id that a value is: an integer, or a string as a key. */
function idOfValue(value: ExactJson): PointId {
  if (typeof value === "string" && value) return { key: value };
  if (value instanceof NumberText && value.isInteger) {
    const id = idOf(value.text);
    if (id && "number" in id) return id;
  }
  throw new Error("its id is neither an integer of 0 to 2^64 - 1 nor a text");
}

/** A vector as the message has it: numbers, rows of numbers, indices and values, or a text that the server embeds. */
function vectorOfValue(value: ExactJson, place: string): Json {
  if (typeof value === "string") {
    const parts = value.replace(/^\s*\[|\]\s*$/g, "").split(/[\s,]+/).filter(Boolean);
    const numbers = parts.map(Number);
    return parts.length && numbers.every(Number.isFinite) ? { dense: { values: numbers } } : { text: { text: value } };
  }
  if (isObject(value) && "indices" in value && "values" in value)
    return { sparse: { indices: withPlainNumbers(value["indices"] ?? []), values: withPlainNumbers(value["values"] ?? []) } };
  if (Array.isArray(value) && value.length && value.every(Array.isArray))
    return { multi: { vectors: value.map((row) => ({ values: numbersOf(row, place) })) } };
  if (Array.isArray(value)) return { dense: { values: numbersOf(value, place) } };
  throw new Error(`${place} is not a vector`);
}

function numbersOf(values: ExactJson[], place: string): number[] {
  return values.map((value) => {
    const number = value instanceof NumberText ? Number(value.text) : NaN;
    if (!Number.isFinite(number)) throw new Error(`${place} has something that is not a finite number`);
    return number;
  });
}

export interface Guess {
  columns: string[];
  reading: Reading;
  /** Dimensions by space; undefined for those that are not dense. */
  sizes: { [space: string]: number | undefined };
}

/** What the first records tell: the names of their values, and which of them look like an id and like vectors. */
export function guess(records: FileRecord[]): Guess {
  const found = records.flatMap((record) => (record.values ? [record.values] : []));
  const columns = [...new Set(found.flatMap((values) => Object.keys(values)))];
  const first = found[0];
  if (first && isPoint(first)) {
    const points = found.map((values) => pointOf(values, { idColumn: "id", vectorColumns: {} }, 0));
    const spaces = [...new Set(points.flatMap((point) => Object.keys(point.vectors)))];
    const vectors = spaces.map((space) => [space, sizeOf(points.find((point) => point.vectors[space])?.vectors[space])] as const);
    return { columns, reading: { idColumn: "id", vectorColumns: {} }, sizes: Object.fromEntries(vectors) };
  }
  const isVector = (name: string) => found.some((values) => looksLikeVector(values[name]));
  const vectorColumns = columns.filter(isVector);
  const spaceOf = (column: string) => (vectorColumns.length === 1 ? "" : column);
  const sizes = vectorColumns.map((column) => {
    const value = found.find((values) => looksLikeVector(values[column]))?.[column];
    return [spaceOf(column), value === undefined ? undefined : sizeOf(vectorOfValue(value, column))] as const;
  });
  return {
    columns,
    reading: { idColumn: columns.includes("id") ? "id" : "", vectorColumns: Object.fromEntries(vectorColumns.map((column) => [spaceOf(column), column])) },
    sizes: Object.fromEntries(sizes),
  };
}

function looksLikeVector(value: ExactJson | undefined): boolean {
  if (typeof value === "string") return /^\s*\[?\s*-?[\d.][\d.eE+-]*([\s,]+-?[\d.][\d.eE+-]*)+\s*\]?\s*$/.test(value);
  return Array.isArray(value) && value.length > 1 && value.every((each) => each instanceof NumberText);
}

const sizeOf = (vector: Json | undefined): number | undefined => (vector as { dense?: { values: number[] } } | undefined)?.dense?.values.length;
