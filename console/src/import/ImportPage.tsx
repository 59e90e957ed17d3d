/** Imports a file of points into a collection, which is made if there is none of its name. */

import { useEffect, useState } from "preact/hooks";
import { call } from "../api/call";
import type { ExactJson, Json } from "../api/json";
import { withPlainNumbers } from "../api/json";
import { createRequest, newSpace, SpacesForm, type SpaceDraft } from "../collections/CreateDialog";
import { namesOf } from "../collections/health";
import { Check, Choice, Labelled, TextField } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction, useLoaded } from "../parts/loading";
import { bytes, count } from "../parts/numbers";
import { href } from "../shell/router";
import { guess, isPoint, type Guess } from "./points";
import { isKnown, recordsOf, type FileRecord } from "./records";
import { isHead, NONE, sent, type Progress } from "./sending";

const LOOKED_AT = 20;
const SHOWN = 3;

interface Chosen {
  file: File;
  guess: Guess;
  first: FileRecord[];
  /** How an export says that its collection is made. */
  schema: { [key: string]: Json } | undefined;
}

export function ImportPage({ into }: { into: string | undefined }) {
  const [collection, setCollection] = useState(into ?? "");
  const [chosen, setChosen] = useState<Chosen | undefined>();
  const [guessed, setGuessed] = useState<Guess | undefined>();
  const [spaces, setSpaces] = useState<SpaceDraft[]>([]);
  const [texts, setTexts] = useState("");
  const [skipWrong, setSkipWrong] = useState(false);
  const [progress, setProgress] = useState<Progress>(NONE);
  const [finished, setFinished] = useState(false);
  const { value: names, reload } = useLoaded((signal) => namesOf("", signal), []);
  const isNew = names !== undefined && collection !== "" && !names.includes(collection);
  const look = useAction(async (_, file: File) => {
    const found = await lookedAt(file);
    setChosen(found);
    setGuessed(found.guess);
    setSpaces(Object.entries(found.guess.sizes).map(([name, size]) => newSpace(name, size)));
    if (!collection) setCollection(file.name.replace(/\..*$/, ""));
    setProgress(NONE);
    setFinished(false);
  });
  const run = useAction(async (signal, from: Progress) => {
    if (!chosen || !guessed) return;
    setFinished(false);
    if (isNew) {
      const schema = chosen.schema ? { ...chosen.schema, collectionName: collection } : createRequest(collection, spaces, "", texts);
      await call("Collections/Create", schema, { signal });
      reload();
    }
    setProgress(from);
    setProgress(await sent({ file: chosen.file, collection, reading: guessed.reading, skipWrong }, from, signal, setProgress));
    setFinished(true);
  });
  return (
    <>
      <div class="head">
        <h1>Import a file</h1>
      </div>
      <form noValidate class="panel stack" onSubmit={(event) => (event.preventDefault(), run.run(NONE))}>
        <Labelled label="File: .jsonl, .csv or .tsv, also .gz" wide>
          {(id) => <input id={id} type="file" accept=".jsonl,.ndjson,.csv,.tsv,.gz" onClick={(event) => (event.currentTarget.value = "")} onChange={(event) => event.currentTarget.files?.[0] && look.run(event.currentTarget.files[0])} />}
        </Labelled>
        <Failure error={look.error} />
        {chosen && guessed && (
          <>
            <Preview chosen={chosen} />
            <div class="fields">
              <TextField label="Collection" value={collection} onChange={setCollection} list={names ?? []} {...(isNew ? { hint: "It is made, since there is none of this name." } : {})} />
              {!isPoints(chosen) && <Mapping guess={guessed} spaces={isNew ? spaces.map((space) => space.name) : undefined} onChange={setGuessed} />}
            </div>
            {isNew && chosen.schema && <p class="hint">It gets the settings that the file has.</p>}
            {isNew && !chosen.schema && (
              <>
                <SpacesForm spaces={spaces} onChange={setSpaces} />
                <TextField label="Text indexes, for BM25" value={texts} onChange={setTexts} placeholder="title, description" />
              </>
            )}
            <Check label="Skip lines that are wrong, and tell of them" value={skipWrong} onChange={setSkipWrong} />
            <div class="row">
              <button type="submit" class="primary" disabled={!collection || run.running || names === undefined}>
                Import
              </button>
              {run.running && (
                <button type="button" onClick={run.stop}>
                  Stop
                </button>
              )}
              {!run.running && !finished && progress.taken > 0 && (
                <button type="button" onClick={() => run.run(progress)}>
                  Go on after {count(progress.taken)} lines
                </button>
              )}
            </div>
          </>
        )}
      </form>
      <Failure error={run.error} />
      {chosen && (run.running || progress.taken > 0) && <ProgressPanel chosen={chosen} progress={progress} finished={finished} collection={collection} />}
    </>
  );
}

const isPoints = (chosen: Chosen): boolean => chosen.first.some((record) => record.values && isPoint(record.values));

/** The first records of a file. Throws an Error when it is no such file, or has none. */
async function lookedAt(file: File): Promise<Chosen> {
  if (!isKnown(file.name)) throw new Error("The name must end in .jsonl, .ndjson, .csv or .tsv, perhaps with .gz after it.");
  const first: FileRecord[] = [];
  let schema: Chosen["schema"];
  for await (const record of recordsOf(file)) {
    if (isHead(record)) schema = withPlainNumbers(record.values?.["schema"] as ExactJson) as Chosen["schema"];
    else first.push(record);
    if (first.length === LOOKED_AT) break;
  }
  if (!first.some((record) => record.values)) throw new Error(first[0] ? `line ${first[0].line}: ${first[0].problem}` : "The file has no points.");
  return { file, first, schema, guess: guess(first) };
}

function Preview({ chosen }: { chosen: Chosen }) {
  const { columns } = chosen.guess;
  const shown = chosen.first.flatMap((record) => (record.values ? [record.values] : [])).slice(0, SHOWN);
  return (
    <div class="scroll">
      <table aria-label="The first lines of the file">
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((values, at) => (
            <tr key={at}>
              {columns.map((name) => (
                <td key={name} class="clip mono">
                  {values[name] === undefined ? "" : typeof values[name] === "string" ? values[name] : JSON.stringify(withPlainNumbers(values[name]!))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Mapping({ guess: guessed, spaces, onChange }: { guess: Guess; spaces: string[] | undefined; onChange: (guess: Guess) => void }) {
  const { columns, reading } = guessed;
  const [typed, setTyped] = useState(() => Object.entries(reading.vectorColumns).map(([space, column]) => `${space}=${column}`).join(", "));
  useEffect(() => {
    const pairs = typed.split(",").flatMap((part): [string, string][] => {
      const at = part.indexOf("=");
      const column = part.slice(at + 1).trim();
      return column ? [[at < 0 ? "" : part.slice(0, at).trim(), column]] : [];
    });
    onChange({ ...guessed, reading: { ...reading, vectorColumns: Object.fromEntries(pairs) } });
  }, [typed]);
  return (
    <>
      <Choice
        label="Id"
        value={reading.idColumn}
        options={[["", "number the lines"], ...columns.map((name) => [name, name] as const)]}
        onChange={(idColumn) => onChange({ ...guessed, reading: { ...reading, idColumn } })}
      />
      <TextField label="Vectors, as space=column" value={typed} onChange={setTyped} placeholder="text=text_vector" mono broad {...(spaces?.length ? { hint: `spaces: ${spaces.map((name) => name || "unnamed (no name before =)").join(", ")}` } : {})} />
    </>
  );
}

function ProgressPanel({ chosen, progress, finished, collection }: { chosen: Chosen; progress: Progress; finished: boolean; collection: string }) {
  return (
    <section class="panel" aria-label="Progress">
      <div class="row">
        <progress class="long" value={finished ? 1 : progress.bytes / Math.max(1, chosen.file.size)} max={1} aria-label="Share of the file" />
        <span role="status">
          {count(progress.written)} points written{progress.skipped ? `, ${count(progress.skipped)} lines skipped` : ""}
          {finished ? ": done" : ` (${bytes(progress.bytes)} of ${bytes(chosen.file.size)})`}
        </span>
        {finished && (
          <a class="button" href={href("collections", collection, "points")}>
            See them
          </a>
        )}
      </div>
      {progress.problems.length > 0 && (
        <ul class="plain mono">
          {progress.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
