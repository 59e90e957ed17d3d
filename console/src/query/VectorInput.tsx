/** Where a query vector comes from: a stored point, a typed vector, or a text. */

import { useState } from "preact/hooks";
import type { Json } from "../api/json";
import type { Vector } from "../api/types";
import { idOf, idText, type PointId } from "../api/values";
import { Choice, Labelled, TextField } from "../parts/controls";
import { textOfVector, vectorOf } from "./vectors";

export type Input = { [key: string]: Json };

const SOURCES = [
  ["id", "a stored point"],
  ["vector", "these values"],
  ["text", "a text"],
] as const;

export function VectorInput({ value, onChange }: { value: Input | undefined; onChange: (value: Input) => void }) {
  const source = value?.["vector"] ? "vector" : value?.["text"] ? "text" : "id";
  const change = (next: string) => {
    if (next === "id") onChange({ id: { number: "1" } });
    if (next === "vector") onChange({ vector: { dense: { values: [1] } } });
    if (next === "text") onChange({ text: { text: "" } });
  };
  return (
    <>
      <Choice label="Vector of" value={source} options={SOURCES} onChange={change} />
      {source === "id" && <IdField value={value?.["id"] as PointId | undefined} onChange={(id) => onChange({ id })} />}
      {source === "text" && (
        <TextField label="Text" value={String((value?.["text"] as { text?: string } | undefined)?.text ?? "")} onChange={(text) => onChange({ text: { text } })} wide />
      )}
      {source === "vector" && <ValuesField value={value?.["vector"] as Vector | undefined} onChange={(vector) => onChange({ vector: vector as Json })} />}
    </>
  );
}

/** The id of a point. What is typed stays as it is, so that a key may end in a space for a while. */
export function IdField({ label = "Point id", value, onChange }: { label?: string; value: PointId | undefined; onChange: (id: PointId) => void }) {
  const [typed, setTyped] = useState(value ? idText(value) : "");
  const shown = value && JSON.stringify(idOf(typed)) !== JSON.stringify(value) ? idText(value) : typed;
  return (
    <TextField
      label={label}
      value={shown}
      mono
      onChange={(text) => {
        setTyped(text);
        onChange(idOf(text) ?? { key: "" });
      }}
    />
  );
}

function ValuesField({ value, onChange }: { value: Vector | undefined; onChange: (vector: Vector) => void }) {
  const [typed, setTyped] = useState(() => textOfVector(value));
  const [wrong, setWrong] = useState("");
  const change = (text: string) => {
    setTyped(text);
    try {
      onChange(vectorOf(text));
      setWrong("");
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Labelled label="Values" wide {...(wrong ? { hint: wrong } : {})}>
      {(id) => (
        <textarea id={id} class="mono" rows={2} spellcheck={false} aria-invalid={wrong !== ""} value={typed} onInput={(event) => change(event.currentTarget.value)} />
      )}
    </Labelled>
  );
}
