/** Why a point is, or is not, in the answer to a query: stage by stage. */

import { useEffect, useState } from "preact/hooks";
import { call } from "../api/call";
import type { PointExplanation, Stage, StageOutcome } from "../api/types";
import { idOf, idText, type PointId } from "../api/values";
import { TextField } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction } from "../parts/loading";
import { score, word } from "../parts/numbers";
import type { Mark } from "../plan/Plan";

interface Props {
  collection: string;
  stage: Stage;
  asked: PointId | undefined;
  onExplained: (explanation: PointExplanation | undefined) => void;
}

export function Why({ collection, stage, asked, onExplained }: Props) {
  const [typed, setTyped] = useState(asked ? idText(asked) : "");
  const [answer, setAnswer] = useState<PointExplanation | undefined>();
  const ask = useAction(async (signal, id: PointId) => {
    const { explain: _, ...query } = stage;
    const reply = await call<{ points?: PointExplanation[] }>("Points/ExplainPoint", { query: { collectionName: collection, ...query }, ids: [id] }, { signal });
    setAnswer(reply.points?.[0]);
    onExplained(reply.points?.[0]);
  });
  useEffect(() => {
    if (!asked) return;
    setTyped(idText(asked));
    ask.run(asked);
  }, [asked]);
  const submit = (event: Event) => {
    event.preventDefault();
    const id = idOf(typed);
    if (id) ask.run(id);
  };
  return (
    <section class="panel why" aria-label="Why a point is in or out">
      <form noValidate class="row" onSubmit={submit}>
        <TextField label="Why is this point in or out?" value={typed} onChange={setTyped} placeholder="its id" mono />
        <button type="submit" class="bottom" disabled={!typed.trim() || ask.running}>
          Why?
        </button>
      </form>
      <Failure error={ask.error} />
      {answer && (
        <div aria-live="polite">
          <p class={`verdict ${answer.returned ? "in" : "out"}`}>
            <strong>{answer.returned ? "In" : "Out"}</strong> {answer.verdict}
          </p>
          <ol class="outcomes">
            {(answer.stages ?? []).map((outcome) => (
              <Outcome key={outcome.stage} outcome={outcome} />
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

function Outcome({ outcome }: { outcome: StageOutcome }) {
  const depth = outcome.stage.split(".").length - 1;
  return (
    <li class={outcome.reason ? "lost" : "kept"} style={{ marginInlineStart: `${depth * 1.1}rem` }}>
      <span class="sign" aria-hidden="true">
        {outcome.reason ? "✕" : "✓"}
      </span>
      <span>
        <strong>{outcome.operator}</strong> <code class="hint">{outcome.stage}</code>
        <br />
        {outcome.reason ? (
          <>
            <em>{word(outcome.reason, "ABSENCE_REASON_")}</em>: {outcome.text}
          </>
        ) : (
          (outcome.text ?? `rank ${outcome.rank}, score ${score(outcome.score)}`)
        )}
        {(outcome.failedConditions ?? []).map((failed) => (
          <div key={failed.path} class="failed">
            fails <code>{failed.condition}</code> <span class="hint">{failed.path}</span>
          </div>
        ))}
      </span>
    </li>
  );
}

/** The marks of a point's outcomes in the picture of the plan, by stage. */
export function marksOf(explanation: PointExplanation | undefined): Map<string, Mark> {
  return new Map(
    (explanation?.stages ?? []).map((outcome) => [
      outcome.stage,
      {
        operator: outcome.operator,
        kind: outcome.reason ? "lost" : "kept",
        text: outcome.reason ? `${word(outcome.reason, "ABSENCE_REASON_")}${outcome.rank ? `, rank ${outcome.rank}` : ""}` : `rank ${outcome.rank ?? ""}`,
      } as const,
    ]),
  );
}
