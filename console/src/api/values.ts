/** Point ids and payload values: between the forms of messages, of people, and of JSON files. */

import { NumberText, type ExactJson } from "./json";

export type PointId = { number: string } | { key: string };

export interface Value {
  nullValue?: string;
  boolValue?: boolean;
  integerValue?: string;
  doubleValue?: number | string;
  stringValue?: string;
  listValue?: { values?: Value[] };
  structValue?: Payload;
}

export interface Payload {
  fields?: Record<string, Value>;
}

const LARGEST_NUMBER = 2n ** 64n - 1n;
const [LEAST_INTEGER, LARGEST_INTEGER] = [-(2n ** 63n), 2n ** 63n - 1n];

/** An id as people write it. A key in quotes is one that would otherwise be read as a number. */
export function idText(id: PointId): string {
  if ("number" in id) return id.number;
  const asKey = idOf(id.key);
  return asKey !== undefined && "key" in asKey && asKey.key === id.key ? id.key : JSON.stringify(id.key);
}

/** The id that a text means: digits are a number, all else is a key. Undefined when empty. */
export function idOf(text: string): PointId | undefined {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  if (/^\d+$/.test(trimmed) && BigInt(trimmed) <= LARGEST_NUMBER) return { number: BigInt(trimmed).toString() };
  if (/^".*"$/s.test(trimmed)) {
    try {
      return { key: JSON.parse(trimmed) as string };
    } catch {
      return { key: trimmed };
    }
  }
  return { key: trimmed };
}

/** Whether two ids are the same. */
export const sameId = (one: PointId, other: PointId): boolean => idText(one) === idText(other);

/** A payload value as the message has it. Throws an Error that says why a value cannot be stored. */
export function valueOf(json: ExactJson): Value {
  if (json === null) return { nullValue: "NULL_VALUE_UNSPECIFIED" };
  if (typeof json === "boolean") return { boolValue: json };
  if (typeof json === "string") return { stringValue: json };
  if (json instanceof NumberText) return numberValue(json);
  if (Array.isArray(json)) return { listValue: { values: json.map(valueOf) } };
  return { structValue: payloadOf(json) };
}

/** A payload as the message has it. */
export function payloadOf(json: { [key: string]: ExactJson }): Payload {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, valueOf(value)])) };
}

function numberValue(number: NumberText): Value {
  if (!number.isInteger) {
    const double = Number(number.text);
    if (!Number.isFinite(double)) throw new Error(`${number.text} is too large for a double`);
    return { doubleValue: double };
  }
  const integer = BigInt(number.text);
  if (integer < LEAST_INTEGER || integer > LARGEST_INTEGER) throw new Error(`${number.text} does not fit in 64 bits`);
  return { integerValue: integer.toString() };
}

/** A payload as JSON text. Integers keep their digits, and doubles have a point or an exponent. */
export function payloadText(payload: Payload | undefined, indent = ""): string {
  const entries = Object.entries(payload?.fields ?? {});
  if (!entries.length) return "{}";
  const inner = indent + "  ";
  const lines = entries.map(([key, value]) => `${inner}${JSON.stringify(key)}: ${valueText(value, inner)}`);
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

/** One value as JSON text. */
export function valueText(value: Value, indent = ""): string {
  if (value.stringValue !== undefined) return JSON.stringify(value.stringValue);
  if (value.integerValue !== undefined) return value.integerValue;
  if (value.doubleValue !== undefined) return doubleText(value.doubleValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.structValue) return payloadText(value.structValue, indent);
  if (value.listValue) return `[${(value.listValue.values ?? []).map((each) => valueText(each, indent)).join(", ")}]`;
  return "null";
}

/** A value in a cell of a table: strings without quotes. */
export function cellText(value: Value | undefined): string {
  if (!value) return "";
  return value.stringValue ?? valueText(value).replace(/\s*\n\s*/g, " ");
}

function doubleText(double: number | string): string {
  const text = String(double);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
