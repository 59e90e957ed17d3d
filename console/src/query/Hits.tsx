/** The answer to a query: its points, their scores, and the ranks that they had in the stages. */

import type { Explanation, Highlight, Hit, PlanNode } from "../api/types";
import { cellText, idText, type PointId } from "../api/values";
import { Nothing } from "../parts/controls";
import { score } from "../parts/numbers";
import { frequentKeys } from "../points/PointsPage";

interface Props {
  hits: Hit[];
  explanation: Explanation | undefined;
  onOpen: (id: PointId) => void;
  onWhy: (id: PointId) => void;
}

const KEYS = 4;
const MOST_ROWS = 500;

export function Hits({ hits, explanation, onOpen, onWhy }: Props) {
  if (!hits.length) return <Nothing>No point is in the answer. Ask below why one is missing.</Nothing>;
  const keys = frequentKeys(hits, KEYS);
  const ranks = new Map((explanation?.hits ?? []).map((each) => [idText(each.id), new Map((each.stages ?? []).map((stage) => [stage.stage, stage]))]));
  const stages = [...new Set([...ranks.values()].flatMap((each) => [...each.keys()]))].filter((stage) => stage !== "root").sort();
  const operators = operatorsOf(explanation?.root);
  const hasHighlights = hits.some((hit) => hit.highlights?.length);
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th class="number">#</th>
            <th>Id</th>
            <th class="number">Score</th>
            {stages.map((stage) => (
              <th key={stage} class="number" title={`Rank in ${stage}`}>
                {operators.get(stage) ?? ""} <span class="stage-name">{shortStage(stage)}</span>
              </th>
            ))}
            {keys.map((key) => (
              <th key={key}>{key}</th>
            ))}
            {hasHighlights && <th>Matches</th>}
            <th></th>
          </tr>
        </thead>
        <tbody>
          {hits.slice(0, MOST_ROWS).map((hit, at) => (
            <tr key={idText(hit.id)}>
              <td class="number hint">{at + 1}</td>
              <td>
                <button type="button" class="link mono" onClick={() => onOpen(hit.id)}>
                  {idText(hit.id)}
                </button>
              </td>
              <td class="number">{score(hit.score)}</td>
              {stages.map((stage) => {
                const found = ranks.get(idText(hit.id))?.get(stage);
                return (
                  <td key={stage} class="number hint" title={found ? `score ${score(found.score)}` : "not in this list"}>
                    {found?.rank ?? "–"}
                  </td>
                );
              })}
              {keys.map((key) => (
                <td key={key} class="clip">
                  {cellText(hit.payload?.fields?.[key])}
                </td>
              ))}
              {hasHighlights && (
                <td>
                  {(hit.highlights ?? []).map((highlight, each) => (
                    <Matched key={each} highlight={highlight} />
                  ))}
                </td>
              )}
              <td>
                <button type="button" class="quiet" aria-label={`Why is ${idText(hit.id)} in?`} onClick={() => onWhy(hit.id)}>
                  why
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {hits.length > MOST_ROWS && <p class="nothing">The first {MOST_ROWS} are shown.</p>}
    </div>
  );
}

/** The piece of a text, with the words that matched. */
function Matched({ highlight }: { highlight: Highlight }) {
  const characters = Array.from(highlight.fragment ?? "");
  const parts = [];
  let at = 0;
  for (const { start = 0, end = 0 } of highlight.spans ?? []) {
    parts.push(characters.slice(at, start).join(""), <mark key={start}>{characters.slice(start, end).join("")}</mark>);
    at = end;
  }
  return (
    <div title={highlight.path}>
      {parts}
      {characters.slice(at).join("")}
    </div>
  );
}

const WITHOUT_RANKING = ["fetch", "limit", "gate", "threshold", "group", "diversify"];

/** The operator that ranks, by stage. */
function operatorsOf(root: PlanNode | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (node: PlanNode) => {
    if (node.stage !== undefined && !WITHOUT_RANKING.includes(node.operator)) found.set(node.stage, node.operator);
    node.children?.forEach(visit);
  };
  if (root) visit(root);
  return found;
}

/** `root.prefetch[0].prefetch[1]` as `0.1`. */
export const shortStage = (stage: string): string => stage.replace(/^root\.?/, "").replaceAll(/prefetch\[(\d+)\]/g, "$1") || "root";
