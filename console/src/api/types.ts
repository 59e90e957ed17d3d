/** The messages that the console reads, in protobuf's JSON mapping. Numbers of 64 bits are strings. */

import type { Json } from "./json";
import type { Payload, PointId } from "./values";

export interface VectorParams {
  size?: string;
  distance?: string;
  datatype?: string;
  index?: string;
  embedder?: string;
  hnswConfig?: { m?: number; efConstruct?: number; ef?: number };
  ivfConfig?: { nprobe?: number[] };
  multivectorConfig?: object;
}

export interface SpaceInfo {
  params?: VectorParams;
  vectorsCount?: string;
  indexedVectorsCount?: string;
  state?: string;
}

export interface CollectionInfo {
  collectionName: string;
  vectors?: Record<string, SpaceInfo>;
  sparseVectors?: Record<string, { params?: { modifier?: string }; vectorsCount?: string }>;
  optimizersConfig?: { indexingThreshold?: string; autoIndex?: boolean };
  pointsCount?: string;
  seq?: string;
  aliases?: string[];
  payloadSchema?: Record<string, { params?: { type?: string; lazy?: boolean }; points?: string; state?: string }>;
  textIndexes?: Record<string, Record<string, Json>>;
}

export interface SpaceStats {
  vectors?: string;
  indexedVectors?: string;
  tailVectors?: string;
  deletedVectors?: string;
  segments?: string;
  diskBytes?: string;
  mappedBytes?: string;
  index?: string;
  datatype?: string;
  recall?: number;
  warning?: string;
}

export interface Stats {
  points?: string;
  total?: SpaceStats;
  spaces?: Record<string, SpaceStats>;
  payloadDiskBytes?: string;
  seq?: string;
  failedWrites?: string;
  lastFailedWrite?: string;
  generation?: string;
}

export interface StateInfo {
  state?: string;
  reason?: string;
  spaces?: Record<string, string>;
  warnings?: Record<string, string>;
}

export interface Task {
  taskId?: string;
  collectionName?: string;
  phase?: string;
  done?: string;
  total?: string;
  etaSeconds?: number;
  kind?: string;
  using?: string;
  started?: number;
  finished?: number;
  error?: string;
  reclaimedBytes?: string;
}

export interface Vector {
  dense?: { values?: number[] };
  sparse?: { indices?: number[]; values?: number[] };
  multi?: { vectors?: { values?: number[] }[] };
}

export interface Point {
  id: PointId;
  payload?: Payload;
  vectors?: Record<string, Vector>;
  version?: string;
}

export interface Highlight {
  path?: string;
  fragment?: string;
  /** Ranges of the fragment, in code points. */
  spans?: { start?: number; end?: number }[];
}

export interface Hit extends Point {
  score?: number | string;
  highlights?: Highlight[];
}

export interface PlanNode {
  operator: string;
  stage?: string;
  attributes?: Record<string, string>;
  strategy?: string;
  reason?: string;
  estimatedRows?: string;
  rowsIn?: string;
  rowsOut?: string;
  distanceComputations?: string;
  microseconds?: string;
  children?: PlanNode[];
}

export interface StageRank {
  stage: string;
  rank?: number;
  score?: number | string;
}

export interface Explanation {
  root: PlanNode;
  text?: string;
  hits?: { id: PointId; stages?: StageRank[] }[];
  analyzed?: boolean;
  seq?: string;
  microseconds?: string;
}

export interface QueryResult {
  points?: Hit[];
  explanation?: Explanation;
  seq?: string;
  total?: string;
}

export interface StageOutcome {
  stage: string;
  operator: string;
  reason?: string;
  rank?: string;
  score?: number | string;
  candidates?: string;
  failedConditions?: { path: string; condition: string }[];
  text?: string;
}

export interface PointExplanation {
  id: PointId;
  exists?: boolean;
  returned?: boolean;
  stages?: StageOutcome[];
  verdict?: string;
  text?: string;
  reason?: string;
}

/** A filter, in any of its forms. */
export type Filter = { [key: string]: Json };

/** What a stage ranks by: one entry, whose name is the kind. */
export type Rank = { [kind: string]: { [key: string]: Json } };

/** A stage of a query, as the root or below it. Fields that the form does not know stay as they are. */
export interface Stage {
  prefetch?: Stage[];
  query?: Rank;
  using?: string;
  filter?: Filter;
  params?: { [key: string]: Json };
  scoreThreshold?: number;
  limit?: number;
  lookupFrom?: { [key: string]: Json };
  filterScope?: string;
  offset?: number;
  [other: string]: unknown;
}
