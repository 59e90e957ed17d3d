/** Two rankings as columns, with a line for each point that is in both. */

import type { Comparison, RankPair } from "./ranks";

const ROW = 22;
const WIDTH = 420;
const LABEL = 130;
const MOST = 50;
const SHOWN_CHARACTERS = 15;

export function Slopes({ comparison }: { comparison: Comparison }) {
  const pairs = comparison.pairs.filter((pair) => (pair.a ?? 0) <= MOST && (pair.b ?? 0) <= MOST);
  const rows = Math.max(...pairs.map((pair) => Math.max(pair.a ?? 0, pair.b ?? 0)), 1);
  const y = (rank: number) => rank * ROW + 8;
  return (
    <svg class="slopes" viewBox={`0 0 ${WIDTH} ${(rows + 1) * ROW}`} style={{ maxWidth: `${WIDTH * 1.35}px` }} role="img" aria-label="The ranks of A on the left, those of B on the right; the table has the same numbers">
      <text class="column" x={LABEL - 10} y="14" text-anchor="end">
        A
      </text>
      <text class="column" x={WIDTH - LABEL + 10} y="14">
        B
      </text>
      {pairs.map((pair) => (
        <g key={pair.id} class={`slope ${direction(pair)}`}>
          <title>{pair.id}</title>
          {pair.a !== undefined && (
            <text x={LABEL - 10} y={y(pair.a) + 4} text-anchor="end">
              {clipped(pair.id)} <tspan class="rank">{pair.a}</tspan>
            </text>
          )}
          {pair.b !== undefined && (
            <text x={WIDTH - LABEL + 10} y={y(pair.b) + 4}>
              <tspan class="rank">{pair.b}</tspan> {clipped(pair.id)}
            </text>
          )}
          {pair.a !== undefined && pair.b !== undefined && <path d={`M${LABEL} ${y(pair.a)}C${WIDTH / 2} ${y(pair.a)} ${WIDTH / 2} ${y(pair.b)} ${WIDTH - LABEL} ${y(pair.b)}`} />}
          {pair.a !== undefined && <circle cx={LABEL} cy={y(pair.a)} r="3" />}
          {pair.b !== undefined && <circle cx={WIDTH - LABEL} cy={y(pair.b)} r="3" />}
        </g>
      ))}
    </svg>
  );
}

/** Whether a point rises, falls, stays, comes or goes from A to B. */
export function direction(pair: RankPair): string {
  if (pair.a === undefined) return "comes";
  if (pair.b === undefined) return "goes";
  return pair.a === pair.b ? "stays" : pair.a > pair.b ? "rises" : "falls";
}

const clipped = (text: string): string => (text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text);
