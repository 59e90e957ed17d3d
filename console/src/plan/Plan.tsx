/** The plan of a query as a picture: operators with their rows, times and strategies, and what each of them dropped. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Explanation, PlanNode } from "../api/types";
import { CopyButton, Segmented } from "../parts/controls";
import { count, duration } from "../parts/numbers";
import { about, dropped, layout, NODE, rowsUp, totalTime, type Layout, type Placed } from "./layout";

/** What became of a point at a stage, to be shown on its operator. */
export interface Mark {
  operator: string;
  kind: "kept" | "lost";
  text: string;
}

interface Props {
  explanation: Explanation;
  marks?: ReadonlyMap<string, Mark>;
}

const WIDEST_EDGE = 12;
const CHARACTERS = 33;

export function Plan({ explanation, marks }: Props) {
  const [view, setView] = useState("picture");
  const [chosen, setChosen] = useState("0");
  // The result stands in the middle of the picture; a wide one begins there.
  const picture = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const shown = picture.current;
    if (shown) shown.scrollLeft = (shown.scrollWidth - shown.clientWidth) / 2;
  }, [explanation, view]);
  const drawn = useMemo(() => layout(explanation.root), [explanation]);
  const selected = drawn.placed.find((each) => each.path === chosen) ?? drawn.placed[0]!;
  return (
    <div class="plan">
      <div class="row">
        <Segmented
          label="Form of the plan"
          value={view}
          options={[
            ["picture", "Picture"],
            ["text", "Text"],
          ]}
          onChange={setView}
        />
        <span class="hint">
          {explanation.analyzed ? `ran in ${duration(explanation.microseconds)}` : "not run: rows are the most that are possible"}
          {explanation.seq && `, commit ${count(explanation.seq)}`}
        </span>
        {view === "text" && <CopyButton text={explanation.text ?? ""} />}
      </div>
      {view === "text" ? (
        <pre class="json">{explanation.text}</pre>
      ) : (
        <div class="plan-body">
          <div class="scroll picture" ref={picture}>
            <Picture drawn={drawn} chosen={selected.path} onChoose={setChosen} marks={marks} />
          </div>
          <OperatorDetails node={selected.node} />
        </div>
      )}
    </div>
  );
}

function Picture({ drawn, chosen, onChoose, marks }: { drawn: Layout; chosen: string; onChoose: (path: string) => void; marks: Props["marks"] }) {
  const byPath = new Map(drawn.placed.map((each) => [each.path, each]));
  const mostRows = Math.max(1, ...drawn.placed.map((each) => rowsUp(each.node)));
  const wholeTime = totalTime(drawn.placed[0]!.node);
  const moveTo = (event: KeyboardEvent) => {
    const next = neighbour(drawn.placed, byPath, chosen, event.key);
    if (!next) return;
    event.preventDefault();
    onChoose(next.path);
    const groups = (event.currentTarget as SVGElement).querySelectorAll<SVGElement>("[role=treeitem]");
    groups[drawn.placed.indexOf(next)]?.focus();
  };
  return (
    <svg
      viewBox={`0 0 ${drawn.width} ${drawn.height}`}
      style={{ maxWidth: `${drawn.width}px`, minWidth: `${Math.round(drawn.width * 0.72)}px` }}
      role="tree"
      aria-label="Plan of the query, the result on top"
      onKeyDown={moveTo}
    >
      <g aria-hidden="true">
        {drawn.placed.map((each) => {
          const parent = each.parent === undefined ? undefined : byPath.get(each.parent);
          return parent && <Edge key={each.path} from={each} to={parent} mostRows={mostRows} />;
        })}
      </g>
      {drawn.placed.map((each) => (
        <Operator key={each.path} placed={each} isChosen={each.path === chosen} onChoose={onChoose} wholeTime={wholeTime} mark={markOf(each.node, marks)} />
      ))}
    </svg>
  );
}

function markOf(node: PlanNode, marks: Props["marks"]): Mark | undefined {
  const mark = marks?.get(node.stage ?? "");
  return mark?.operator === node.operator ? mark : undefined;
}

function Edge({ from, to, mostRows }: { from: Placed; to: Placed; mostRows: number }) {
  const [x, y] = [from.x + NODE.width / 2, from.y];
  const [endX, endY] = [to.x + NODE.width / 2, to.y + NODE.height];
  const middle = (y + endY) / 2;
  const rows = rowsUp(from.node);
  return (
    <>
      <path class="edge" d={`M${x} ${y}C${x} ${middle} ${endX} ${middle} ${endX} ${endY}`} stroke-width={1 + WIDEST_EDGE * Math.sqrt(rows / mostRows)} />
      <text class="rows" x={x + (from.x < to.x ? -9 : 9)} y={y - 7} text-anchor={from.x < to.x ? "end" : "start"}>
        {from.node.rowsOut === undefined ? "≤ " : ""}
        {count(rows)}
      </text>
    </>
  );
}

function Operator({ placed, isChosen, onChoose, wholeTime, mark }: { placed: Placed; isChosen: boolean; onChoose: (path: string) => void; wholeTime: number; mark: Mark | undefined }) {
  const { node, x, y } = placed;
  const lost = dropped(node);
  const share = wholeTime ? Number(node.microseconds ?? 0) / wholeTime : 0;
  const rows = node.rowsIn === undefined ? `at most ${count(node.estimatedRows)}` : `${count(node.rowsIn)} → ${count(node.rowsOut)}`;
  return (
    <g
      class={`operator ${mark?.kind ?? ""} ${isChosen ? "chosen" : ""}`}
      transform={`translate(${x} ${y})`}
      role="treeitem"
      aria-selected={isChosen}
      aria-label={`${node.operator} of ${node.stage}: ${rows} rows${lost ? `, ${count(lost)} dropped` : ""}${node.microseconds ? `, ${duration(node.microseconds)}` : ""}${node.strategy ? `, ${node.strategy}` : ""}${mark ? `. ${mark.text}` : ""}`}
      tabIndex={isChosen ? 0 : -1}
      onClick={() => onChoose(placed.path)}
      onFocus={() => onChoose(placed.path)}
    >
      <rect class="box" width={NODE.width} height={NODE.height} rx="7" />
      <text class="title" x="11" y="19">
        {node.operator}
      </text>
      {node.strategy && (
        <text class="strategy" x={NODE.width - 11} y="19" text-anchor="end">
          {node.strategy}
        </text>
      )}
      <text class={mark ? "mark" : "about"} x="11" y="36">
        {clipped(mark?.text ?? about(node))}
      </text>
      <text class="figures" x="11" y="54">
        {rows}
        {lost ? <tspan class="dropped" dx="8">{`−${count(lost)}`}</tspan> : null}
      </text>
      {node.microseconds !== undefined && (
        <text class="figures" x={NODE.width - 11} y="54" text-anchor="end">
          {duration(node.microseconds)}
        </text>
      )}
      <rect class="bar-back" x="11" y={NODE.height - 11} width={NODE.width - 22} height="3" rx="1.5" />
      <rect class="bar" x="11" y={NODE.height - 11} width={Math.max(0, (NODE.width - 22) * share)} height="3" rx="1.5" />
    </g>
  );
}

const clipped = (text: string): string => (text.length > CHARACTERS ? `${text.slice(0, CHARACTERS - 1)}…` : text);

/** The operator that an arrow key leads to. */
function neighbour(placed: Placed[], byPath: Map<string, Placed>, at: string, key: string): Placed | undefined {
  const here = byPath.get(at);
  if (key === "ArrowUp") return here?.parent === undefined ? undefined : byPath.get(here.parent);
  if (key === "ArrowDown") return placed.find((each) => each.parent === at);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (!step || !here) return undefined;
  const level = placed.filter((each) => each.y === here.y).sort((one, other) => one.x - other.x);
  return level[level.indexOf(here) + step];
}

function OperatorDetails({ node }: { node: PlanNode }) {
  const rows: [string, string | undefined][] = [
    ["stage", node.stage],
    ["strategy", node.strategy && `${node.strategy}${node.reason ? `: ${node.reason}` : ""}`],
    ...Object.entries(node.attributes ?? {}),
    ["rows at most", node.estimatedRows && count(node.estimatedRows)],
    ["rows in", node.rowsIn && count(node.rowsIn)],
    ["rows out", node.rowsOut && count(node.rowsOut)],
    ["dropped", dropped(node) === undefined ? undefined : count(dropped(node))],
    ["distances", node.distanceComputations && count(node.distanceComputations)],
    ["own time", node.microseconds && duration(node.microseconds)],
    ["with inputs", node.microseconds && node.children?.length ? duration(totalTime(node)) : undefined],
  ];
  return (
    <dl class="details" aria-live="polite" aria-label={`Details of ${node.operator}`}>
      <div class="details-title">
        <dt>operator</dt>
        <dd>
          <strong>{node.operator}</strong>
        </dd>
      </div>
      {rows.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
