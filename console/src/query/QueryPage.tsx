/** Builds a query, runs it, and shows its answer, its plan, and its text to copy. */

import { useEffect, useState } from "preact/hooks";
import { call } from "../api/call";
import { parseRequestObject } from "../api/json";
import type { CollectionInfo, Explanation, PointExplanation, QueryResult, Stage } from "../api/types";
import type { PointId } from "../api/values";
import { CopyButton, Labelled, Segmented } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction } from "../parts/loading";
import { count, duration } from "../parts/numbers";
import { Plan } from "../plan/Plan";
import { learnPaths } from "../points/paths";
import { PointDetails } from "../points/PointDetails";
import { go } from "../shell/router";
import { answerOf } from "./asking";
import { Builder } from "./Builder";
import { draftOf, setDraft } from "./drafts";
import { Hits } from "./Hits";
import { newLeaf } from "./kinds";
import { asStage } from "./shape";
import { LANGUAGES, queryText } from "./texts";
import { marksOf, Why } from "./Why";

interface Answer {
  stage: Stage;
  result: QueryResult | undefined;
  explanation: Explanation | undefined;
  microseconds: string | undefined;
}

export function QueryPage({ info }: { info: CollectionInfo }) {
  const name = info.collectionName;
  const [stage, setStage] = useState<Stage>(() => draftOf(name) ?? { ...newLeaf(info), limit: 10 });
  const [form, setForm] = useState("form");
  const [view, setView] = useState("hits");
  const [answer, setAnswer] = useState<Answer | undefined>();
  const [open, setOpen] = useState<PointId | undefined>();
  const [asked, setAsked] = useState<PointId | undefined>();
  const [explained, setExplained] = useState<PointExplanation | undefined>();
  useEffect(() => setDraft(name, stage), [stage]);
  const run = useAction(async (signal) => {
    const reply = await answerOf(name, stage, signal);
    learnPaths(name, reply.result.points ?? []);
    setAnswer({ stage, result: reply.result, explanation: reply.result.explanation, microseconds: reply.microseconds });
    setExplained(undefined);
  });
  const plan = useAction(async (signal) => {
    const reply = await call<{ explanation: Explanation }>("Points/Explain", { query: { collectionName: name, ...stage } }, { signal });
    setAnswer({ stage, result: undefined, explanation: reply.explanation, microseconds: undefined });
    setExplained(undefined);
    setView("plan");
  });
  const compare = () => {
    if (!draftOf(name, "a")) setDraft(name, answer?.stage ?? stage, "a");
    setDraft(name, stage, "b");
    go("collections", name, "compare");
  };
  const marks = marksOf(explained);
  const outlineMarks = new Map([...marks].map(([each, mark]) => [each, mark.kind]));
  return (
    <div class="query">
      <div class="panel stack build">
        <div class="row">
          <h2>Query</h2>
          <Segmented label="Form of the query" value={form} options={[["form", "Form"], ...LANGUAGES]} onChange={setForm} />
        </div>
        {form === "form" && <Builder root={stage} info={info} onChange={setStage} marks={outlineMarks} />}
        {form === "json" && <JsonForm collection={name} stage={stage} onChange={setStage} />}
        {form !== "form" && form !== "json" && <TextForm language={form} collection={name} stage={stage} />}
        <div class="row run">
          <button type="button" class="primary" disabled={run.running} onClick={() => run.run()}>
            Run
          </button>
          <button type="button" disabled={plan.running} onClick={() => plan.run()} title="Plan it without running it">
            Plan only
          </button>
          <button type="button" onClick={() => (setDraft(name, stage, "a"), compare())} title="Keep this query as A, to compare others with it">
            Pin as A
          </button>
          <button type="button" onClick={compare} title="See it beside the pinned query">
            Compare
          </button>
        </div>
      </div>
      <div class="stack answer">
        <Failure error={run.error ?? plan.error} />
        {answer && (
          <>
            <div class="row">
              <Segmented
                label="What is shown of the answer"
                value={view}
                options={[
                  ["hits", "Hits"],
                  ["plan", "Plan"],
                ]}
                onChange={setView}
              />
              <span class="hint" role="status">
                {answer.result && `${count(answer.result.points?.length)} hits${answer.result.total ? ` of ${count(answer.result.total)}` : ""} in ${duration(answer.microseconds)}`}
                {answer.stage !== stage && " · the query was changed since"}
              </span>
            </div>
            {view === "hits" && answer.result && <Hits hits={answer.result.points ?? []} explanation={answer.explanation} onOpen={setOpen} onWhy={setAsked} />}
            {view === "plan" && !answer.explanation && <p class="nothing">This key may not see how queries run.</p>}
            {view === "plan" && answer.explanation && <Plan explanation={answer.explanation} marks={marks} />}
            <Why collection={name} stage={answer.stage} asked={asked} onExplained={setExplained} />
          </>
        )}
        {!answer && !run.error && <p class="nothing">Run the query to see its hits and its plan. Ctrl-Enter runs it from any field.</p>}
      </div>
      {open && <PointDetails collection={name} id={open} onClose={() => setOpen(undefined)} onChanged={() => run.run()} />}
    </div>
  );
}

/** The query as JSON that can be changed. The name of the collection is not part of the tree. */
export function JsonForm({ collection, stage, onChange, rows = 18 }: { collection: string; stage: Stage; onChange: (stage: Stage) => void; rows?: number }) {
  const [text, setText] = useState(() => queryText("json", collection, stage, location.origin));
  const [wrong, setWrong] = useState("");
  const change = (next: string) => {
    setText(next);
    try {
      const { collectionName: _, ...read } = parseRequestObject(next);
      onChange(asStage(read));
      setWrong("");
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div class="stack">
      <Labelled label="Request of Points/Query" wide {...(wrong ? { hint: wrong } : {})}>
        {(id) => <textarea id={id} class="mono" rows={rows} spellcheck={false} aria-invalid={wrong !== ""} value={text} onInput={(event) => change(event.currentTarget.value)} />}
      </Labelled>
      <div class="row">
        <CopyButton text={text} />
      </div>
    </div>
  );
}

function TextForm({ language, collection, stage }: { language: string; collection: string; stage: Stage }) {
  const text = queryText(language, collection, stage, location.origin);
  return (
    <div class="stack">
      <pre class="json text">{text}</pre>
      <div class="row">
        <CopyButton text={text} />
      </div>
    </div>
  );
}
