/** Recall against latency of one space, as a plot and as a table, measured on the collection. */

import { useState } from "preact/hooks";
import type uPlot from "uplot";
import type { CollectionInfo, Filter } from "../api/types";
import { NumberField, Nothing, TextField } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction } from "../parts/loading";
import { count, duration } from "../parts/numbers";
import { axis, Plot, type Colours } from "../parts/Plot";
import { FilterEditor } from "../points/FilterEditor";
import { pathsOf } from "../points/paths";
import { SpaceChoice } from "../query/StageForm";
import { indexOf, measured, type Measured } from "./measure";

const EFS = "8, 16, 32, 64, 128, 256";
const HEIGHT = 340;
/** Single searches whose times are taken at each width. */
const SEARCHES = 30;

interface Shown {
  rows: Measured[];
  index: string;
  using: string;
  k: number;
}

export function RecallPage({ info }: { info: CollectionInfo }) {
  const spaces = Object.keys(info.vectors ?? {});
  const [using, setUsing] = useState<string | undefined>(spaces.includes("") ? undefined : spaces[0]);
  const [k, setK] = useState<number | undefined>();
  const [sample, setSample] = useState<number | undefined>();
  const [widths, setWidths] = useState(EFS);
  const [filter, setFilter] = useState<Filter | undefined>();
  const [share, setShare] = useState(0);
  const [shown, setShown] = useState<Shown | undefined>();
  const measure = useAction(async (signal) => {
    setShare(0);
    const space = using ?? "";
    const index = await indexOf(info, space, signal);
    const plan = { collection: info.collectionName, using: space, index, k: k ?? 10, sample: sample ?? 100, searches: SEARCHES, widths: numbersOf(widths), filter };
    setShown({ rows: await measured(index === "flat" ? { ...plan, widths: [] } : plan, signal, setShare), index, using: space, k: plan.k });
  });
  if (!spaces.length) return <Nothing>It has no space of dense vectors whose recall could be measured.</Nothing>;
  return (
    <>
      <form noValidate class="panel stack" onSubmit={(event) => (event.preventDefault(), measure.run())}>
        <p class="hint">
          Stored vectors are searched at each width, and compared with an exact scan. Latencies are medians of the server's own times, one search
          after another.
        </p>
        <div class="fields">
          <SpaceChoice info={info} value={using} onChange={setUsing} />
          <NumberField label="Neighbours (k)" value={k} placeholder="10" min={1} max={10000} onChange={setK} />
          <NumberField label="Sampled vectors" value={sample} placeholder="100" min={1} max={10000} onChange={setSample} />
          <TextField label="Widths: ef, or nprobe of lists" value={widths} onChange={setWidths} mono broad />
        </div>
        <FilterEditor value={filter} onChange={setFilter} paths={pathsOf(info)} />
        <div class="row">
          <button type="submit" class="primary" disabled={measure.running}>
            Measure
          </button>
          {measure.running && (
            <>
              <progress value={share} max={1} aria-label="Measured" />
              <button type="button" onClick={measure.stop}>
                Stop
              </button>
            </>
          )}
        </div>
      </form>
      <Failure error={measure.error} />
      {shown && <Results key={`${shown.using} ${shown.k} ${shown.rows.map((row) => row.median).join()}`} shown={shown} />}
    </>
  );
}

/** The whole numbers in a text, ascending, each once. */
export const numbersOf = (text: string): number[] =>
  [...new Set((text.match(/\d+/g) ?? []).map(Number))].filter((width) => width > 0).sort((one, other) => one - other);

function Results({ shown }: { shown: Shown }) {
  const indexed = shown.rows.filter((row) => row.width !== undefined);
  const byTime = [...indexed].sort((one, other) => one.median - other.median);
  return (
    <>
      {indexed.length === 0 ? (
        <p class="notice">No index serves this space yet: searches scan it, and are exact.</p>
      ) : (
        <section class="panel" aria-label="Plot">
          <h2>
            Recall at {shown.k} of {shown.using || "the unnamed space"} ({shown.index})
          </h2>
          <Plot
            data={[byTime.map((row) => row.median), byTime.map((row) => row.average), byTime.map((row) => row.p10)]}
            options={(colours) => plotOptions(byTime, shown.rows.find((row) => row.width === undefined)?.median, colours)}
            height={HEIGHT}
            label={`Recall against latency: ${byTime.map((row) => `${row.label}: ${row.average.toFixed(3)} in ${duration(row.median)}`).join("; ")}`}
          />
        </section>
      )}
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Width</th>
              <th class="number">Recall</th>
              <th class="number" title="Recall that nine of ten queries reach">
                90 % reach
              </th>
              <th class="number">Worst</th>
              <th class="number">Median</th>
              <th class="number">95 %</th>
              <th class="number">Queries</th>
            </tr>
          </thead>
          <tbody>
            {shown.rows.map((row) => (
              <tr key={row.label}>
                <td>{row.label}</td>
                <td class="number">{row.average.toFixed(4)}</td>
                <td class="number">{row.p10.toFixed(2)}</td>
                <td class="number">{row.minimum.toFixed(2)}</td>
                <td class="number">{duration(row.median)}</td>
                <td class="number">{duration(row.p95)}</td>
                <td class="number hint">{count(row.queries)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function plotOptions(rows: Measured[], exact: number | undefined, colours: Colours): Omit<uPlot.Options, "width" | "height"> {
  const recall = (_: uPlot, value: number | null) => (value === null ? "" : value.toFixed(4));
  return {
    scales: { x: { time: false, range: (_, low, high) => around(low, high) }, y: { range: (_, low) => [Math.max(0, low - (1 - low) * 0.15 - 0.004), 1.004] } },
    axes: [
      axis(colours, { label: "median latency", values: (_, splits) => splits.map((value) => (value === null ? "" : duration(value))), space: 70 }),
      axis(colours, { label: "recall", size: 56 }),
    ],
    series: [
      { label: "latency", value: (_, value) => (value === null ? "" : duration(value)) },
      { label: "mean recall", stroke: colours.accent, width: 2, paths: () => null, points: { show: true, size: 8, fill: colours.accent }, value: recall },
      { label: "nine of ten queries reach", stroke: colours.busy, width: 1.2, paths: () => null, points: { show: true, size: 5 }, value: recall },
    ],
    legend: { live: false },
    hooks: { draw: [(plot) => labelPoints(plot, rows, exact, colours)] },
  };
}

/** A range with some room on both sides. */
const around = (low: number, high: number): [number, number] => {
  const room = Math.max((high - low) * 0.12, high * 0.12, 1);
  return [Math.max(0, low - room), high + room];
};

/** Joins the points, writes the width beside each, and draws a line at the time of an exact scan if that is in sight. */
function labelPoints(plot: uPlot, rows: Measured[], exact: number | undefined, colours: Colours): void {
  const ratio = devicePixelRatio;
  plot.ctx.save();
  plot.ctx.textAlign = "left";
  // The line goes from width to width, so that it is clear which times are noise.
  plot.ctx.strokeStyle = colours.accent;
  plot.ctx.lineWidth = 1.6 * ratio;
  plot.ctx.beginPath();
  for (const row of [...rows].sort((one, other) => (one.width ?? 0) - (other.width ?? 0)))
    plot.ctx.lineTo(plot.valToPos(row.median, "x", true), plot.valToPos(row.average, "y", true));
  plot.ctx.stroke();
  plot.ctx.font = `${11.5 * ratio}px ui-sans-serif, system-ui, sans-serif`;
  plot.ctx.fillStyle = colours.text;
  for (const row of rows) plot.ctx.fillText(String(row.width), plot.valToPos(row.median, "x", true) + 8 * ratio, plot.valToPos(row.average, "y", true) + 16 * ratio);
  const { min = 0, max = 0 } = plot.scales["x"] ?? {};
  if (exact !== undefined && exact >= (min ?? 0) && exact <= (max ?? 0)) {
    const x = plot.valToPos(exact, "x", true);
    plot.ctx.strokeStyle = plot.ctx.fillStyle = colours.muted;
    plot.ctx.setLineDash([3 * ratio, 4 * ratio]);
    plot.ctx.beginPath();
    plot.ctx.moveTo(x, plot.bbox.top);
    plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    plot.ctx.stroke();
    plot.ctx.fillText("exact scan", x + 5 * ratio, plot.bbox.top + plot.bbox.height - 7 * ratio);
  }
  plot.ctx.restore();
}
