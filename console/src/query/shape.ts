/** Checks that JSON has the shape of a stage, as far as the forms rely on it. What it means is the server's to judge. */

import type { Json } from "../api/json";
import type { Stage } from "../api/types";

type Object = { [key: string]: Json };

const OBJECTS = ["query", "filter", "params", "lookupFrom"];
const NUMBERS = ["limit", "offset", "scoreThreshold"];
const TEXTS = ["using", "filterScope"];
const INPUTS: Record<string, string[]> = { rescore: ["vector"], nearestWithMmr: ["nearest"], discover: ["target"] };
const LISTS: Record<string, string[]> = { recommend: ["positive", "negative"], discover: ["context"], context: ["pairs"], bm25: ["fields"], rrf: ["weights"], dbsf: ["weights"] };

/** The stage. Throws an Error that names what has another shape. */
export function asStage(json: Json, path = ""): Stage {
  const at = (name: string) => (path ? `${path}.${name}` : name);
  const stage = objectAt(json, path || "the query");
  for (const name of OBJECTS) if (stage[name] !== undefined) objectAt(stage[name], at(name));
  for (const name of NUMBERS) if (stage[name] !== undefined && typeof stage[name] !== "number") throw new Error(`${at(name)} is not a number`);
  for (const name of TEXTS) if (stage[name] !== undefined && typeof stage[name] !== "string") throw new Error(`${at(name)} is not a text`);
  if (stage["query"] !== undefined) checkRank(stage["query"] as Object, at("query"));
  const prefetch = stage["prefetch"] ?? [];
  if (!Array.isArray(prefetch)) throw new Error(`${at("prefetch")} is not a list`);
  prefetch.forEach((child, index) => asStage(child, at(`prefetch[${index}]`)));
  return stage as Stage;
}

function checkRank(query: Object, path: string): void {
  for (const [kind, rank] of Object.entries(query)) {
    const inner = objectAt(rank, `${path}.${kind}`);
    if (kind === "nearest") checkInput(inner, `${path}.nearest`);
    for (const name of INPUTS[kind] ?? []) if (inner[name] !== undefined) checkInput(inner[name], `${path}.${kind}.${name}`);
    for (const name of LISTS[kind] ?? []) if (inner[name] !== undefined && !Array.isArray(inner[name])) throw new Error(`${path}.${kind}.${name} is not a list`);
    for (const name of ["positive", "negative"]) ((inner[name] ?? []) as Json[]).forEach((each, index) => checkInput(each, `${path}.${kind}.${name}[${index}]`));
    for (const [index, field] of ((kind === "bm25" ? (inner["fields"] ?? []) : []) as Json[]).entries()) objectAt(field, `${path}.bm25.fields[${index}]`);
    if (inner["expression"] !== undefined) objectAt(inner["expression"], `${path}.${kind}.expression`);
  }
}

/** A vector of a query: its id, if it has one, is shown. */
function checkInput(input: Json, path: string): void {
  const inner = objectAt(input, path);
  if (inner["vector"] !== undefined) objectAt(inner["vector"], `${path}.vector`);
  if (inner["text"] !== undefined) objectAt(inner["text"], `${path}.text`);
  if (inner["id"] === undefined) return;
  const id = objectAt(inner["id"], `${path}.id`);
  if (typeof id["key"] !== "string" && typeof id["number"] !== "string" && typeof id["number"] !== "number") throw new Error(`${path}.id has neither a number nor a key`);
  if (typeof id["number"] === "number") id["number"] = String(id["number"]);
}

function objectAt(json: Json | undefined, path: string): Object {
  if (json === null || json === undefined || typeof json !== "object" || Array.isArray(json)) throw new Error(`${path} is not an object`);
  return json;
}
