/** A query as a program in Python. Kinds that its form has no words for are written as a message. */

import type { Json } from "../api/json";
import type { Stage } from "../api/types";
import type { PointId } from "../api/values";

type Object = { [key: string]: Json };

/** Something of the query that this text has no form for. */
class NotWritten extends Error {}

const STAGE_FIELDS = ["query", "prefetch", "using", "filter", "limit", "params", "scoreThreshold", "lookupFrom", "filterScope"];
const ROOT_FIELDS = [...STAGE_FIELDS, "offset"];

/** The program. `collection`: the collection that is searched. */
export function pythonText(collection: string, root: Stage): string {
  const used = new Set(["Client"]);
  let lines: string[];
  try {
    lines = callLines(collection, root, used);
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    return messageText(collection, root);
  }
  return [
    `from headwater import ${[...used].sort().join(", ")}`,
    "",
    'with Client("localhost:50051") as client:',
    ...lines.map((line) => `    ${line}`),
    "    for hit in hits:",
    "        print(hit.id, hit.score, hit.payload)",
    "",
  ].join("\n");
}

function callLines(collection: string, root: Stage, used: Set<string>): string[] {
  const given = stageArguments(root, ROOT_FIELDS, used);
  return ["hits = client.points.query(", `    ${quoted(collection)},`, ...given.map((line) => `    ${line}`), ")"];
}

function stageArguments(stage: Stage, fields: string[], used: Set<string>): string[] {
  const unknown = Object.keys(stage).find((name) => !fields.includes(name) && stage[name] !== undefined);
  if (unknown) throw new NotWritten(unknown);
  const lines: string[] = [];
  const add = (name: string, value: string | undefined) => value !== undefined && lines.push(`${name}=${value},`);
  if (stage.query) add("query", rankText(stage.query, used));
  if (stage.prefetch?.length) {
    used.add("PrefetchQuery");
    lines.push("prefetch=[");
    for (const child of stage.prefetch)
      lines.push("    PrefetchQuery(", ...stageArguments(child, STAGE_FIELDS, used).map((line) => `        ${line}`), "    ),");
    lines.push("],");
  }
  if (stage.using !== undefined) add("using", quoted(stage.using));
  if (stage.filter) add("filter", filterText(stage.filter));
  if (stage.params) add("params", paramsText(stage.params));
  if (stage.scoreThreshold !== undefined) add("score_threshold", String(stage.scoreThreshold));
  if (stage.limit !== undefined) add("limit", String(stage.limit));
  if (stage.offset !== undefined) add("offset", String(stage.offset));
  if (stage.lookupFrom) add("lookup_from", lookupText(stage.lookupFrom, used));
  if (stage.filterScope) add("filter_scope", quoted(short(stage.filterScope, "FILTER_SCOPE_")));
  return lines;
}

function rankText(query: { [kind: string]: Object }, used: Set<string>): string {
  const [kind = "", rank = {}] = Object.entries(query)[0] ?? [];
  const call = (name: string, ...given: (string | undefined)[]) => {
    used.add(name);
    return `${name}(${given.filter((each) => each !== undefined).join(", ")})`;
  };
  const named = (field: string, name: string, text: (value: Json) => string = literal) =>
    rank[field] === undefined ? undefined : `${name}=${text(rank[field])}`;
  const only = (...fields: string[]) => {
    const unknown = Object.keys(rank).find((name) => !fields.includes(name));
    if (unknown) throw new NotWritten(unknown);
  };
  switch (kind) {
    case "nearest":
      return inputText(rank, used);
    case "rrf":
      only("k", "weights");
      return call("Rrf", named("k", "k"), named("weights", "weights"));
    case "dbsf":
      only("weights");
      return call("Dbsf", named("weights", "weights"));
    case "rescore":
      only("vector", "metric");
      return call("Rescore", inputText(rank["vector"], used), quoted(short(String(rank["metric"] ?? ""), "METRIC_")));
    case "orderBy":
      only("path", "direction");
      return call("OrderBy", quoted(String(rank["path"] ?? "")), named("direction", "direction", (value) => quoted(short(String(value), "DIRECTION_"))));
    case "sample":
      only("seed");
      return call("Sample", named("seed", "seed", String));
    case "nearestWithMmr":
      only("nearest", "diversity", "candidates");
      return call("NearestWithMmr", inputText(rank["nearest"], used), named("diversity", "diversity"), named("candidates", "candidates"));
    case "recommend":
      only("positive", "negative", "strategy");
      return call(
        "Recommend",
        named("positive", "positive", (value) => inputsText(value, used)),
        named("negative", "negative", (value) => inputsText(value, used)),
        named("strategy", "strategy", (value) => quoted(short(String(value), "RECOMMEND_STRATEGY_"))),
      );
    case "discover":
      only("target", "context");
      return call("Discover", inputText(rank["target"], used), pairsText(rank["context"], used));
    case "context":
      only("pairs");
      return call("Context", pairsText(rank["pairs"], used));
    case "formula":
      only("expression", "undefined");
      return call("Formula", formulaText(rank["expression"]), named("undefined", "undefined", (value) => quoted(short(String(value), "UNDEFINED_SCORE_"))));
    case "bm25":
      only("text", "fields", "allTerms", "lastAsPrefix", "plain");
      return call(
        "Bm25",
        quoted(String(rank["text"] ?? "")),
        named("fields", "fields", fieldsText),
        named("allTerms", "all_terms"),
        named("lastAsPrefix", "last_as_prefix"),
        named("plain", "plain"),
      );
    default:
      throw new NotWritten(kind);
  }
}

/** A vector or the id of a point. */
function inputText(input: Json | undefined, used: Set<string>): string {
  const { id, vector, text } = (input ?? {}) as { id?: PointId; vector?: { [kind: string]: Object }; text?: { text?: string } };
  if (id) return "number" in id ? id.number : quoted(id.key);
  if (text) {
    used.add("Text");
    return `Text(${quoted(text.text ?? "")})`;
  }
  if (vector?.["dense"]) return literal(vector["dense"]["values"] ?? []);
  if (vector?.["sparse"]) {
    used.add("SparseVector");
    return `SparseVector(${literal(vector["sparse"]["indices"] ?? [])}, ${literal(vector["sparse"]["values"] ?? [])})`;
  }
  throw new NotWritten("vector");
}

const inputsText = (inputs: Json, used: Set<string>): string => `[${(inputs as Json[]).map((input) => inputText(input, used)).join(", ")}]`;

function pairsText(pairs: Json | undefined, used: Set<string>): string {
  used.add("ContextPair");
  const written = ((pairs ?? []) as { positive?: Json; negative?: Json }[]).map(
    (pair) => `ContextPair(${inputText(pair.positive, used)}, ${inputText(pair.negative, used)})`,
  );
  return `[${written.join(", ")}]`;
}

function fieldsText(fields: Json): string {
  const written = (fields as { path: string; weight?: number }[]).map((field) => `${quoted(field.path)}: ${field.weight ?? 1}`);
  return `{${written.join(", ")}}`;
}

function formulaText(expression: Json | undefined): string {
  const { text, ...rest } = (expression ?? {}) as { text?: string };
  if (text === undefined || Object.keys(rest).length) throw new NotWritten("expression");
  return quoted(text);
}

function filterText(filter: Object): string {
  if (Object.keys(filter).some((name) => name !== "expression")) throw new NotWritten("filter");
  return quoted(String(filter["expression"]));
}

function paramsText(params: Object): string {
  const names: Record<string, string> = { hnswEf: "hnsw_ef", exact: "exact", indexedOnly: "indexed_only", ivfNprobe: "ivf_nprobe" };
  const written = Object.entries(params).map(([name, value]) => {
    if (name === "filterStrategy") return `"filter_strategy": ${quoted(short(String(value), "FILTER_STRATEGY_"))}`;
    if (!names[name]) throw new NotWritten(name);
    return `"${names[name]}": ${literal(value)}`;
  });
  return `{${written.join(", ")}}`;
}

function lookupText(lookup: Object, used: Set<string>): string {
  used.add("LookupFrom");
  const parts = [lookup["collectionName"] && `collection=${quoted(String(lookup["collectionName"]))}`, lookup["using"] !== undefined && `using=${quoted(String(lookup["using"]))}`];
  return `LookupFrom(${parts.filter(Boolean).join(", ")})`;
}

const short = (value: string, prefix: string): string => value.replace(prefix, "").toLowerCase();

/** A string as Python writes it: JSON's form is one of Python's. */
export const quoted = (text: string): string => JSON.stringify(text);

/** A value as Python writes it. */
function literal(value: Json): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, each]) => `${quoted(key)}: ${literal(each)}`).join(", ")}}`;
  return String(value);
}

/** The program that sends the message as it is. */
function messageText(collection: string, root: Stage): string {
  const json = JSON.stringify({ collectionName: collection, ...root }, null, 2).replaceAll("\\", "\\\\").replaceAll('"""', '\\"""');
  return [
    "import grpc",
    "from google.protobuf.json_format import Parse",
    "",
    "from headwater.v1 import points_pb2, points_pb2_grpc",
    "",
    `query = Parse("""${json}""", points_pb2.PointsQueryRequest())`,
    'with grpc.insecure_channel("localhost:50051") as channel:',
    "    reply = points_pb2_grpc.PointsStub(channel).Query(query)",
    "    for hit in reply.result.points:",
    "        print(hit.id, hit.score)",
    "",
  ].join("\n");
}
