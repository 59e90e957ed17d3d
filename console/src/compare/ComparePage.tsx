/** Two queries side by side, run on one commit: what each finds, and how the ranks differ. */

import { useEffect, useState } from "preact/hooks";
import type { CollectionInfo, QueryResult, Stage } from "../api/types";
import { cellText, type PointId } from "../api/values";
import { Segmented } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction } from "../parts/loading";
import { count, duration, percent, score } from "../parts/numbers";
import { learnPaths } from "../points/paths";
import { PointDetails } from "../points/PointDetails";
import { frequentKeys } from "../points/PointsPage";
import { answersOf } from "../query/asking";
import { Builder } from "../query/Builder";
import { draftOf, setDraft } from "../query/drafts";
import { newLeaf } from "../query/kinds";
import { JsonForm } from "../query/QueryPage";
import { compared, movement, type Comparison } from "./ranks";
import { direction, Slopes } from "./Slopes";

const MOST_ROWS = 500;

interface Answers {
  a: QueryResult;
  b: QueryResult;
  comparison: Comparison;
}

export function ComparePage({ info }: { info: CollectionInfo }) {
  const name = info.collectionName;
  const first = (which: string): Stage => draftOf(name, which) ?? draftOf(name) ?? { ...newLeaf(info), limit: 10 };
  const [a, setA] = useState(() => first("a"));
  const [b, setB] = useState(() => first("b"));
  const [answers, setAnswers] = useState<Answers | undefined>();
  const [open, setOpen] = useState<PointId | undefined>();
  useEffect(() => setDraft(name, a, "a"), [a]);
  useEffect(() => setDraft(name, b, "b"), [b]);
  const run = useAction(async (signal) => {
    const [resultA, resultB] = await answersOf(name, [a, b], signal);
    learnPaths(name, [...(resultA.points ?? []), ...(resultB.points ?? [])]);
    setAnswers({ a: resultA, b: resultB, comparison: compared(resultA.points ?? [], resultB.points ?? []) });
  });
  return (
    <>
      <div class="pair">
        <Side letter="A" info={info} stage={a} onChange={setA} />
        <Side letter="B" info={info} stage={b} onChange={setB} />
      </div>
      <div class="row">
        <button type="button" class="primary" disabled={run.running} onClick={() => run.run()}>
          Run both
        </button>
        <button type="button" onClick={() => setB(structuredClone(a))}>
          Copy A to B
        </button>
        <button type="button" onClick={() => (setA(b), setB(a))}>
          Swap
        </button>
      </div>
      <Failure error={run.error} />
      {answers && <Difference answers={answers} onOpen={setOpen} />}
      {open && <PointDetails collection={name} id={open} onClose={() => setOpen(undefined)} onChanged={() => run.run()} />}
    </>
  );
}

function Side({ letter, info, stage, onChange }: { letter: string; info: CollectionInfo; stage: Stage; onChange: (stage: Stage) => void }) {
  const [form, setForm] = useState("form");
  return (
    <section class="panel" aria-label={`Query ${letter}`}>
      <div class="row between">
        <h2>{letter}</h2>
        <Segmented
          label={`Form of query ${letter}`}
          value={form}
          options={[
            ["form", "Form"],
            ["json", "JSON"],
          ]}
          onChange={setForm}
        />
      </div>
      {form === "form" ? <Builder root={stage} info={info} onChange={onChange} /> : <JsonForm collection={info.collectionName} stage={stage} onChange={onChange} rows={12} />}
    </section>
  );
}

function Difference({ answers, onOpen }: { answers: Answers; onOpen: (id: PointId) => void }) {
  const { a, b, comparison } = answers;
  const keys = frequentKeys(comparison.pairs.map((pair) => pair.hit), 2);
  const scores = (result: QueryResult) => new Map((result.points ?? []).map((hit, at) => [at + 1, hit.score]));
  const [scoresA, scoresB] = [scores(a), scores(b)];
  return (
    <>
      <dl class="figures" aria-live="polite">
        <Figure name="In both" value={`${count(comparison.both)} of ${count(comparison.pairs.length)}`} />
        <Figure name="Overlap" value={percent(comparison.overlap)} />
        <Figure name="Mean shift" value={`${comparison.meanShift.toFixed(1)} ranks`} />
        {a.explanation && <Figure name="A took" value={duration(a.explanation.microseconds)} />}
        {b.explanation && <Figure name="B took" value={duration(b.explanation.microseconds)} />}
        <Figure name="Commit" value={count(a.seq)} />
      </dl>
      <div class="differences">
        <div class="scroll picture">
          <Slopes comparison={comparison} />
        </div>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Id</th>
                <th class="number">Rank A</th>
                <th class="number">Rank B</th>
                <th class="number">A → B</th>
                <th class="number">Score A</th>
                <th class="number">Score B</th>
                {keys.map((key) => (
                  <th key={key}>{key}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {comparison.pairs.slice(0, MOST_ROWS).map((pair) => (
                <tr key={pair.id}>
                  <td>
                    <button type="button" class="link mono" onClick={() => onOpen(pair.hit.id)}>
                      {pair.id}
                    </button>
                  </td>
                  <td class="number">{pair.a ?? "–"}</td>
                  <td class="number">{pair.b ?? "–"}</td>
                  <td class={`number move ${direction(pair)}`}>{movement(pair)}</td>
                  <td class="number hint">{pair.a && score(scoresA.get(pair.a))}</td>
                  <td class="number hint">{pair.b && score(scoresB.get(pair.b))}</td>
                  {keys.map((key) => (
                    <td key={key} class="clip">
                      {cellText(pair.hit.payload?.fields?.[key])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </>
  );
}

const Figure = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);
