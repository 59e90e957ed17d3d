/** The answer to a query: its points, their scores, and the ranks that they had in the stages. */

import type { Explanation, Hit } from "../api/types";
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

export function Hits({ hits, explanation, onOpen, onWhy }: Props) {
  if (!hits.length) return <Nothing>No point is in the answer. Ask below why one is missing.</Nothing>;
  const keys = frequentKeys(hits, KEYS);
  const ranks = new Map((explanation?.hits ?? []).map((each) => [idText(each.id), new Map((each.stages ?? []).map((stage) => [stage.stage, stage]))]));
  const stages = [...new Set([...ranks.values()].flatMap((each) => [...each.keys()]))].filter((stage) => stage !== "root").sort();
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
                {shortStage(stage)}
              </th>
            ))}
            {keys.map((key) => (
              <th key={key}>{key}</th>
            ))}
            <th></th>
          </tr>
        </thead>
        <tbody>
          {hits.map((hit, at) => (
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
              <td>
                <button type="button" class="quiet" aria-label={`Why is ${idText(hit.id)} in?`} onClick={() => onWhy(hit.id)}>
                  why
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** `root.prefetch[0].prefetch[1]` as `0.1`. */
export const shortStage = (stage: string): string => stage.replace(/^root\.?/, "").replaceAll(/prefetch\[(\d+)\]/g, "$1") || "root";
