/** The metrics of the server, live: a few as plots of the last minutes, all of them as a table. */

import { useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { CallError, page } from "../api/call";
import { Nothing } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useLoaded } from "../parts/loading";
import { bytes, count, duration, moment } from "../parts/numbers";
import { axis, Plot, type Colours } from "../parts/Plot";
import { byLabel, histogramQuantile, parsed, rate, sum, type Family, type Reading } from "./exposition";

const SECONDS = 2;
const KEPT = 150;
const HEIGHT = 170;
/** The shortest time that a plot shows. */
const LEAST_SECONDS = 60;

interface Line {
  label: string;
  value: (before: Reading | undefined, now: Reading) => number | undefined;
}

interface Chart {
  title: string;
  unit: (value: number) => string;
  lines: Line[];
}

const rateOf = (label: string, name: string): Line => ({ label, value: (before, now) => rate(before, now, name) });
const quantileOf = (label: string, share: number): Line => ({
  label,
  value: (before, now) => before && histogramQuantile(before, now, "headwater_request_seconds", share),
});
const perSecond = (value: number): string => `${Number(value.toPrecision(3)).toLocaleString("en")} /s`;

const CHARTS: Chart[] = [
  { title: "Requests", unit: perSecond, lines: [rateOf("requests", "headwater_requests_total")] },
  { title: "Time of a request", unit: (value) => duration(value * 1e6), lines: [quantileOf("median", 0.5), quantileOf("99 %", 0.99)] },
  { title: "Searches", unit: perSecond, lines: [rateOf("searches", "headwater_searches_total")] },
  { title: "Work of searches", unit: perSecond, lines: [rateOf("rows scanned", "headwater_rows_scanned_total"), rateOf("graph steps", "headwater_graph_steps_total")] },
  { title: "Commits", unit: perSecond, lines: [rateOf("commits", "headwater_commit_seconds_count"), rateOf("writes", "headwater_committed_writes_total")] },
  { title: "Memory", unit: bytes, lines: [{ label: "all kinds", value: (_, now) => sum(now, "headwater_memory_bytes") ?? sum(now, "process_resident_memory_bytes") }] },
];

export function MetricsPage() {
  const readings = useRef<Reading[]>([]);
  const { value, error } = useLoaded(
    async (signal) => {
      const reading = parsed(await page("/metrics", signal), Date.now() / 1000);
      readings.current = [...readings.current, reading].slice(-KEPT);
      return reading;
    },
    [],
    SECONDS,
  );
  const isMissing = error instanceof CallError && /404/.test(error.message + error.code);
  return (
    <>
      <div class="head">
        <h1>Metrics</h1>
        <span class="hint">every {SECONDS} s, since this page was opened; Prometheus reads them at /metrics</span>
      </div>
      {isMissing ? <Nothing>This server has no page of metrics.</Nothing> : <Failure error={error} />}
      {value && (
        <>
          <div class="charts">
            {CHARTS.map((chart) => (
              <ChartPanel key={chart.title} chart={chart} readings={readings.current} />
            ))}
          </div>
          <Breakdown reading={value} />
          <AllMetrics families={[...value.families.values()]} />
        </>
      )}
    </>
  );
}

function ChartPanel({ chart, readings }: { chart: Chart; readings: Reading[] }) {
  const columns = chart.lines.map((line) => readings.map((now, at) => line.value(readings[at - 1], now) ?? null));
  const latest = chart.lines.map((line, at) => [line.label, columns[at]!.findLast((value) => value !== null)] as const);
  return (
    <section class="panel" aria-label={chart.title}>
      <div class="row between">
        <h2>{chart.title}</h2>
        <span class="hint">
          {latest.map(([label, value]) => (value === undefined || value === null ? "" : `${label} ${chart.unit(value)}`)).filter(Boolean).join(" · ")}
        </span>
      </div>
      {readings.length < 2 && <p class="hint">after the next reading</p>}
      {readings.length > 1 && <Plot data={[readings.map((reading) => reading.at), ...columns]} options={(colours) => chartOptions(chart, colours)} height={HEIGHT} label={`${chart.title} over time`} />}
    </section>
  );
}

function chartOptions(chart: Chart, colours: Colours): Omit<uPlot.Options, "width" | "height"> {
  return {
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { range: (_, from, to) => [Math.min(from, to - LEAST_SECONDS), to] }, y: { range: (_, __, high) => [0, high > 0 ? high * 1.15 : 1] } },
    axes: [axis(colours, { space: 80, size: 30, values: (_, splits) => splits.map((at) => moment(at)) }), axis(colours, { values: (_, splits) => splits.map(chart.unit), size: 72 })],
    series: [{}, ...chart.lines.map((line, at) => ({ label: line.label, stroke: at ? colours.busy : colours.accent, width: 1.6, spanGaps: true }))],
  };
}

const TABLES: readonly (readonly [string, string, string])[] = [
  ["Requests by method", "headwater_requests_total", "method"],
  ["Searches by strategy", "headwater_searches_total", "strategy"],
  ["Memory by kind", "headwater_memory_bytes", "kind"],
];

function Breakdown({ reading }: { reading: Reading }) {
  const tables = TABLES.map(([title, name, label]) => ({ title, name, rows: byLabel(reading, name, label).slice(0, 8) })).filter((table) => table.rows.length);
  if (!tables.length) return null;
  return (
    <div class="charts">
      {tables.map(({ title, name, rows }) => (
        <section class="panel" key={title} aria-label={title}>
          <h2>{title}</h2>
          <dl class="bars">
            {rows.map(([label, value]) => (
              <div key={label}>
                <dt>{label || "all"}</dt>
                <dd>
                  <progress max={rows[0]?.[1] || 1} value={value} aria-label={label} /> <span>{/bytes/.test(name) ? bytes(value) : count(value)}</span>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function AllMetrics({ families }: { families: Family[] }) {
  const [wanted, setWanted] = useState("");
  const shown = families.filter((family) => `${family.name} ${family.help}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <section>
      <div class="row">
        <h2>All metrics</h2>
        <input type="search" class="search" aria-label="Only metrics with" placeholder="Only with …" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
      </div>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Metric</th>
              <th>Type</th>
              <th class="number">Value</th>
              <th>What it is</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((family) => (
              <tr key={family.name}>
                <td class="mono">{family.name}</td>
                <td class="hint">{family.type}</td>
                <td class="number">{valueOf(family)}</td>
                <td class="hint">{family.help}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A family in one number: its sum, or how many values a histogram has counted. */
function valueOf(family: Family): string {
  const counted = family.samples.filter((sample) => sample.name.endsWith("_count"));
  const samples = counted.length ? counted : family.samples.filter((sample) => !sample.name.endsWith("_created"));
  const total = samples.reduce((all, sample) => all + sample.value, 0);
  return /bytes/.test(family.name) && !counted.length ? bytes(total) : Number.isInteger(total) ? count(total) : String(Number(total.toPrecision(5)));
}
