/** Reads metrics in the text format of Prometheus, and tells rates and quantiles from two readings. */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  help: string;
  type: string;
  samples: Sample[];
}

export interface Reading {
  /** Seconds on the clock of this page. */
  at: number;
  families: Map<string, Family>;
}

const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const SUFFIXES = /_(total|bucket|sum|count|created|info)$/;

/** The families of a page. Lines that are none of the format are left out. */
export function parsed(text: string, at: number): Reading {
  const families = new Map<string, Family>();
  const family = (name: string): Family => {
    const known = families.get(name) ?? { name, help: "", type: "", samples: [] };
    families.set(name, known);
    return known;
  };
  for (const line of text.split("\n")) {
    const about = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (about) {
      const [, kind, name = "", rest = ""] = about;
      if (kind === "HELP") family(name).help = rest;
      else family(name).type = rest;
      continue;
    }
    const sample = line.startsWith("#") ? null : SAMPLE.exec(line);
    if (!sample) continue;
    const [, name = "", labels = "", value = ""] = sample;
    const base = families.has(name) ? name : name.replace(SUFFIXES, "");
    family(families.has(base) ? base : name).samples.push({
      name,
      labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, label = "", text = ""]) => [label, unescaped(text)])),
      value: Number(value.replace("Inf", "Infinity")),
    });
  }
  return { at, families };
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));

/** All samples of a name, whatever their family. */
function samplesOf(reading: Reading, name: string): Sample[] {
  for (const each of [name, name.replace(SUFFIXES, "")]) {
    const found = reading.families.get(each)?.samples.filter((sample) => sample.name === name);
    if (found?.length) return found;
  }
  return [];
}

/** The sum of a metric over its labels; undefined when the server has none of this name. */
export function sum(reading: Reading, name: string): number | undefined {
  const samples = samplesOf(reading, name);
  return samples.length ? samples.reduce((total, sample) => total + sample.value, 0) : undefined;
}

/** How much a counter grew in a second; undefined when it is not known. */
export function rate(before: Reading | undefined, now: Reading, name: string): number | undefined {
  const [from, to] = [before && sum(before, name), sum(now, name)];
  if (before === undefined || from === undefined || to === undefined || now.at <= before.at) return undefined;
  return Math.max(0, to - from) / (now.at - before.at);
}

/** The sums of a metric by one of its labels, the largest first. */
export function byLabel(reading: Reading, name: string, label: string): [string, number][] {
  const sums = new Map<string, number>();
  for (const sample of samplesOf(reading, name)) sums.set(sample.labels[label] ?? "", (sums.get(sample.labels[label] ?? "") ?? 0) + sample.value);
  return [...sums].sort((one, other) => other[1] - one[1]);
}

/** A quantile of a histogram between two readings, as Prometheus computes it; undefined when nothing was counted. */
export function histogramQuantile(before: Reading | undefined, now: Reading, name: string, share: number): number | undefined {
  const counts = new Map<number, number>();
  const add = (reading: Reading | undefined, sign: number) => {
    for (const sample of reading ? samplesOf(reading, `${name}_bucket`) : []) {
      const bound = Number((sample.labels["le"] ?? "").replace("+Inf", "Infinity"));
      counts.set(bound, (counts.get(bound) ?? 0) + sign * sample.value);
    }
  };
  add(now, 1);
  add(before, -1);
  const bounds = [...counts].sort((one, other) => one[0] - other[0]);
  const total = bounds.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  let [lower, below] = [0, 0];
  for (const [bound, count] of bounds) {
    if (count >= share * total) return Number.isFinite(bound) && count > below ? lower + ((bound - lower) * (share * total - below)) / (count - below) : lower;
    [lower, below] = [bound, count];
  }
  return lower;
}
