/** The ways to rank: their names, what a new one is, and whether it needs stages below it. */

import type { Json } from "../api/json";
import type { CollectionInfo, Rank, Stage } from "../api/types";
import { idText, type PointId } from "../api/values";

export type Kind = "all" | "nearest" | "rrf" | "dbsf" | "rescore" | "bm25" | "formula" | "orderBy" | "nearestWithMmr" | "recommend" | "discover" | "context" | "sample";

export const KINDS: readonly (readonly [Kind, string])[] = [
  ["nearest", "nearest to a vector"],
  ["bm25", "words, by BM25"],
  ["rrf", "fusion by ranks (RRF)"],
  ["dbsf", "fusion by scores (DBSF)"],
  ["rescore", "another metric"],
  ["formula", "a formula"],
  ["orderBy", "a payload field"],
  ["nearestWithMmr", "nearest, but diverse (MMR)"],
  ["recommend", "like examples"],
  ["discover", "discover by pairs"],
  ["context", "context of pairs"],
  ["sample", "chance"],
  ["all", "nothing: in id order"],
];

const FUSIONS: Kind[] = ["rrf", "dbsf"];
const WITH_SPACE: Kind[] = ["nearest", "rescore", "nearestWithMmr", "recommend", "discover", "context"];

/** The kind of a stage. Undefined for one that this console does not know. */
export function kindOf(stage: Stage): Kind | undefined {
  const name = Object.keys(stage.query ?? {})[0];
  if (name === undefined) return "all";
  return KINDS.find(([kind]) => kind === name)?.[0];
}

export const isFusion = (kind: Kind | undefined): boolean => kind !== undefined && FUSIONS.includes(kind);

/** Whether a stage of this kind ranks in a space. */
export const hasSpace = (kind: Kind | undefined): boolean => kind === undefined || WITH_SPACE.includes(kind);

const EXAMPLE = { id: { number: "1" } };

/** What a new stage of a kind ranks by. */
export function newRank(kind: Kind): Rank | undefined {
  const ranks: Partial<Record<Kind, { [key: string]: Json }>> = {
    nearest: { id: { number: "1" } },
    rrf: {},
    dbsf: {},
    rescore: { metric: "METRIC_EUCLID", vector: EXAMPLE },
    bm25: { text: "" },
    formula: { expression: { text: "$score" } },
    orderBy: { path: "" },
    sample: {},
    nearestWithMmr: { nearest: EXAMPLE },
    recommend: { positive: [EXAMPLE] },
    discover: { target: EXAMPLE, context: [{ positive: EXAMPLE, negative: { id: { number: "2" } } }] },
    context: { pairs: [{ positive: EXAMPLE, negative: { id: { number: "2" } } }] },
  };
  const rank = ranks[kind];
  return rank && { [kind]: rank };
}

/** The stage with another way to rank. A vector stays where both ways have one; a space goes where none is allowed. */
export function withKind(stage: Stage, kind: Kind, info: CollectionInfo): Stage {
  const { query, using, ...rest } = stage;
  const rank = newRank(kind);
  if (rank && query) {
    const vector = query["nearest"] ?? query["rescore"]?.["vector"] ?? query["nearestWithMmr"]?.["nearest"];
    if (vector !== undefined && kind === "nearest") rank["nearest"] = vector as { [key: string]: Json };
    if (vector !== undefined && kind === "rescore") rank["rescore"] = { ...rank["rescore"], vector };
    if (vector !== undefined && kind === "nearestWithMmr") rank["nearestWithMmr"] = { nearest: vector };
  }
  const space = using ?? firstSpace(info);
  return { ...rest, ...(rank ? { query: rank } : {}), ...(hasSpace(kind) && space ? { using: space } : {}) };
}

/** The names of all spaces. */
export const spacesOf = (info: CollectionInfo): string[] => [...Object.keys(info.vectors ?? {}), ...Object.keys(info.sparseVectors ?? {})];

/** The space that a new stage searches: none where the server finds it by itself. */
export function firstSpace(info: CollectionInfo): string | undefined {
  const spaces = spacesOf(info);
  return spaces.length < 2 || spaces.includes("") ? undefined : spaces[0];
}

/** A new leaf. */
export function newLeaf(info: CollectionInfo, limit?: number): Stage {
  const using = firstSpace(info);
  const query: Rank = spacesOf(info).length ? { nearest: { id: { number: "1" } } } : { sample: {} };
  return { query, ...(using && "nearest" in query ? { using } : {}), ...(limit ? { limit } : {}) };
}

/** A stage in a few words. */
export function summary(stage: Stage): string {
  const kind = kindOf(stage);
  const rank = Object.values(stage.query ?? {})[0] ?? {};
  if (kind === "nearest") return `nearest to ${inputText(rank)}`;
  if (kind === "rescore") return `${String(rank["metric"] ?? "composite").replace("METRIC_", "").toLowerCase()} to ${inputText(rank["vector"])}`;
  if (kind === "bm25") return `BM25 “${String(rank["text"] ?? "tokens")}”`;
  if (kind === "rrf") return "RRF";
  if (kind === "dbsf") return "DBSF";
  if (kind === "formula") return `formula ${String((rank["expression"] as { text?: string } | undefined)?.text ?? "")}`;
  if (kind === "orderBy") return `order by ${String(rank["path"] ?? "")}`;
  if (kind === "nearestWithMmr") return `MMR of ${inputText(rank["nearest"])}`;
  return KINDS.find(([each]) => each === kind)?.[1] ?? Object.keys(stage.query ?? {})[0] ?? "";
}

function inputText(input: Json | undefined): string {
  const kinds = (input ?? {}) as { id?: PointId; text?: { text?: string }; vector?: object };
  if (kinds.id) return `point ${idText(kinds.id)}`;
  if (kinds.text) return `“${kinds.text.text ?? ""}”`;
  return "a vector";
}
