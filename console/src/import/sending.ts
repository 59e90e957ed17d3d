/** Sends the points of a file in batches, one after another. It can go on where it was stopped. */

import { call, CallError } from "../api/call";
import { pointOf, type PointStruct, type Reading } from "./points";
import { HEAD, recordsOf, type FileRecord } from "./records";

export interface Progress {
  /** Records of the file whose points are stored, or were skipped: here it goes on. */
  taken: number;
  written: number;
  skipped: number;
  problems: string[];
  bytes: number;
}

export const NONE: Progress = { taken: 0, written: 0, skipped: 0, problems: [], bytes: 0 };

const BATCH_POINTS = 500;
const BATCH_CHARACTERS = 2 ** 20;
const SHOWN_PROBLEMS = 20;
const TRIES = 6;
const BUSY = ["resource_exhausted", "unavailable"];

interface Job {
  file: File;
  collection: string;
  reading: Reading;
  skipWrong: boolean;
}

/** A record that is wrong, and that may not be skipped. */
export class WrongRecord extends Error {}

/** Sends what comes after `from`. `report` is told of each batch. Throws CallError and WrongRecord. */
export async function sent(job: Job, from: Progress, signal: AbortSignal, report: (progress: Progress) => void): Promise<Progress> {
  let progress = from;
  let batch: PointStruct[] = [];
  let [characters, taken, skipped, bytes] = [0, 0, 0, 0];
  let [firstLine, lastLine] = [0, 0];
  let problems: string[] = [];
  const flush = async () => {
    if (batch.length) await upsert(job.collection, batch, `lines ${firstLine} to ${lastLine}`, signal);
    progress = {
      taken,
      written: progress.written + batch.length,
      skipped: progress.skipped + skipped,
      problems: [...progress.problems, ...problems].slice(0, SHOWN_PROBLEMS),
      bytes,
    };
    [batch, characters, skipped, problems] = [[], 0, 0, []];
    report(progress);
  };
  for await (const record of recordsOf(job.file, (read) => (bytes = read))) {
    signal.throwIfAborted();
    taken++;
    if (taken <= from.taken || isHead(record)) continue;
    const made = recordPoint(record, job.reading, taken - 1);
    if (typeof made === "string") {
      const problem = `line ${record.line}: ${made}`;
      if (!job.skipWrong) {
        taken--;
        await flush();
        throw new WrongRecord(problem);
      }
      skipped++;
      problems.push(problem);
      continue;
    }
    if (!batch.length) firstLine = record.line;
    lastLine = record.line;
    batch.push(made);
    characters += JSON.stringify(made).length;
    if (batch.length >= BATCH_POINTS || characters >= BATCH_CHARACTERS) await flush();
  }
  await flush();
  return progress;
}

/** The first line of an export. It is no point. */
export const isHead = (record: FileRecord): boolean => record.line === 1 && record.values !== undefined && HEAD in record.values && !("id" in record.values);

function recordPoint(record: FileRecord, reading: Reading, number: number): PointStruct | string {
  if (!record.values) return record.problem;
  try {
    return pointOf(record.values, reading, number);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A busy server is asked again, later and later. */
async function upsert(collection: string, points: PointStruct[], place: string, signal: AbortSignal): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await call("Points/Upsert", { collectionName: collection, points }, { signal, seconds: 120 });
      return;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (!BUSY.includes(error.code) || tried === TRIES) throw new CallError(error.code, `${place}: ${error.message}`, error.reason, error.violations, error.metadata);
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tried));
    }
  }
}
