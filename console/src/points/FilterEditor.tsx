/** A filter in three forms: a list of conditions, the server's text, and the JSON of the message. */

import { useState } from "preact/hooks";
import { JsonError, parseRequestObject } from "../api/json";
import type { Filter } from "../api/types";
import { Labelled, Segmented } from "../parts/controls";
import { rowsOf, testOf, TESTS, textOf, type Row } from "./filter_text";

type Mode = "form" | "text" | "json";

interface Props {
  value: Filter | undefined;
  onChange: (filter: Filter | undefined) => void;
  paths: string[];
  label?: string;
}

const expressionOf = (filter: Filter | undefined): string => String(filter?.["expression"] ?? "");

/** Whether a filter is text alone. */
const isText = (filter: Filter | undefined): boolean =>
  filter === undefined || Object.keys(filter).every((key) => key === "expression");

function firstMode(filter: Filter | undefined): Mode {
  if (!isText(filter)) return "json";
  return rowsOf(expressionOf(filter)) ? "form" : "text";
}

export function FilterEditor({ value, onChange, paths, label = "Filter" }: Props) {
  const [mode, setMode] = useState<Mode>(() => firstMode(value));
  const [note, setNote] = useState("");
  const setText = (text: string) => onChange(text.trim() ? { expression: text } : undefined);
  const choose = (next: string) => {
    setNote("");
    if (next !== "json" && !isText(value)) return setNote("This filter can only be shown as JSON.");
    if (next === "form" && !rowsOf(expressionOf(value))) return setNote("This text is no plain list of conditions, so it stays text.");
    setMode(next as Mode);
  };
  return (
    <div class="filter">
      <div class="row">
        <span class="label">{label}</span>
        <Segmented
          label={`Form of the ${label.toLowerCase()}`}
          value={mode}
          options={[
            ["form", "Form"],
            ["text", "Text"],
            ["json", "JSON"],
          ]}
          onChange={choose}
        />
        {note && (
          <span class="hint" role="status">
            {note}
          </span>
        )}
      </div>
      {mode === "form" && <FormMode text={expressionOf(value)} onChange={setText} paths={paths} />}
      {mode === "text" && (
        <textarea
          class="mono"
          rows={2}
          aria-label={`${label} as text`}
          placeholder={'price < 200 and not (colour in ["red", "blue"] or is_empty(stock))'}
          spellcheck={false}
          value={expressionOf(value)}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      )}
      {mode === "json" && <JsonMode label={label} value={value} onChange={onChange} />}
    </div>
  );
}

function FormMode({ text, onChange, paths }: { text: string; onChange: (text: string) => void; paths: string[] }) {
  // Rows are kept here, since a row without a path has no text yet. A text that comes from elsewhere makes them anew.
  const [rows, setRows] = useState<Row[]>(() => rowsOf(text) ?? []);
  const shown = textOf(rows) === text ? rows : (rowsOf(text) ?? rows);
  const set = (next: Row[]) => {
    setRows(next);
    onChange(textOf(next));
  };
  const change = (at: number, part: Partial<Row>) => set(shown.map((row, each) => (each === at ? { ...row, ...part } : row)));
  return (
    <div class="conditions">
      <datalist id="payload-paths">
        {["$id", ...paths].map((path) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      {shown.map((row, at) => (
        <div class="condition" key={at}>
          <input class="mono" aria-label="Field" placeholder="field" list="payload-paths" spellcheck={false} value={row.path} onInput={(event) => change(at, { path: event.currentTarget.value })} />
          <select aria-label="Test" value={row.test} onChange={(event) => change(at, { test: event.currentTarget.value })}>
            {TESTS.map((test) => (
              <option key={test.name} value={test.name}>
                {test.label}
              </option>
            ))}
          </select>
          {testOf(row.test).needs !== "none" && (
            <input
              class="mono"
              aria-label="Value"
              placeholder={testOf(row.test).needs === "list" ? "1, 2, red" : "value"}
              spellcheck={false}
              value={row.operand}
              onInput={(event) => change(at, { operand: event.currentTarget.value })}
            />
          )}
          <button type="button" class="quiet" aria-label="Remove this condition" onClick={() => set(shown.filter((_, each) => each !== at))}>
            ✕
          </button>
        </div>
      ))}
      <button type="button" class="quiet add" onClick={() => set([...shown, { path: "", test: "==", operand: "" }])}>
        + condition
      </button>
    </div>
  );
}

function JsonMode({ label, value, onChange }: { label: string; value: Filter | undefined; onChange: Props["onChange"] }) {
  const [text, setText] = useState(() => JSON.stringify(value ?? {}, null, 2));
  const [wrong, setWrong] = useState("");
  const change = (next: string) => {
    setText(next);
    try {
      const filter = parseRequestObject(next.trim() || "{}");
      setWrong("");
      onChange(Object.keys(filter).length ? filter : undefined);
    } catch (error) {
      setWrong(error instanceof JsonError ? error.message : String(error));
    }
  };
  return (
    <Labelled label={`${label} as JSON`} wide {...(wrong ? { hint: wrong } : {})}>
      {(id) => <textarea id={id} class="mono" rows={6} spellcheck={false} aria-invalid={wrong !== ""} value={text} onInput={(event) => change(event.currentTarget.value)} />}
    </Labelled>
  );
}
