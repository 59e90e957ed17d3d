/** The fields of each way to rank. What a form has no field for can be written as JSON. */

import { useState } from "preact/hooks";
import { parseRequestObject, type Json } from "../api/json";
import type { CollectionInfo } from "../api/types";
import { idOf, idText, type PointId } from "../api/values";
import { Check, Choice, Labelled, NumberField, TextField } from "../parts/controls";
import { pathsOf } from "../points/paths";
import type { Kind } from "./kinds";
import { VectorInput, type Input } from "./VectorInput";

type Rank = { [key: string]: Json };

interface Props {
  kind: Kind;
  rank: Rank;
  info: CollectionInfo;
  onChange: (rank: Rank) => void;
}

export const METRICS = ["COSINE", "DOT", "EUCLID", "MANHATTAN", "CHEBYSHEV", "ANGULAR"].map((name) => [`METRIC_${name}`, name.toLowerCase()] as const);

export function RankForm({ kind, rank, info, onChange }: Props) {
  const set = (name: string, value: Json | undefined) => {
    const { [name]: _, ...rest } = rank;
    onChange(value === undefined || value === "" ? rest : { ...rest, [name]: value });
  };
  const text = (name: string) => String(rank[name] ?? "");
  const number = (name: string) => rank[name] as number | undefined;
  switch (kind) {
    case "nearest":
      return <VectorInput value={rank} onChange={onChange} />;
    case "rrf":
      return (
        <>
          <NumberField label="k" value={number("k")} placeholder="60" min={0} step="any" onChange={(value) => set("k", value)} />
          <Weights value={rank["weights"]} onChange={(value) => set("weights", value)} />
        </>
      );
    case "dbsf":
      return <Weights value={rank["weights"]} onChange={(value) => set("weights", value)} />;
    case "rescore":
      if (rank["composite"]) return <JsonPart rank={rank} onChange={onChange} />;
      return (
        <>
          <Choice label="Metric" value={text("metric")} options={METRICS} onChange={(value) => set("metric", value)} />
          <VectorInput value={rank["vector"] as Input | undefined} onChange={(value) => set("vector", value)} />
        </>
      );
    case "bm25":
      return <Bm25Form rank={rank} info={info} set={set} />;
    case "formula":
      return (
        <>
          <TextField
            label="Expression"
            value={String((rank["expression"] as { text?: string } | undefined)?.text ?? "")}
            onChange={(value) => set("expression", { text: value })}
            placeholder="$score[0] * 2 + exp_decay(price, 10, 5)"
            wide
            mono
          />
          <Choice
            label="Points without a value"
            value={text("undefined")}
            options={[
              ["", "fail the query"],
              ["UNDEFINED_SCORE_DROP", "are left out"],
            ]}
            onChange={(value) => set("undefined", value)}
          />
          <JsonField label="Defaults" value={rank["defaults"]} onChange={(value) => set("defaults", value)} hint='{"price": {"doubleValue": 10}}' />
        </>
      );
    case "orderBy":
      return (
        <>
          <TextField label="Field" value={text("path")} onChange={(value) => set("path", value)} list={pathsOf(info)} mono />
          <Choice
            label="Direction"
            value={text("direction")}
            options={[
              ["", "ascending"],
              ["DIRECTION_DESCENDING", "descending"],
            ]}
            onChange={(value) => set("direction", value)}
          />
        </>
      );
    case "sample":
      return <TextField label="Seed" value={text("seed")} onChange={(value) => set("seed", value.replace(/\D/g, ""))} hint="empty: another one with each commit" />;
    case "nearestWithMmr":
      return (
        <>
          <VectorInput value={rank["nearest"] as Input | undefined} onChange={(value) => set("nearest", value)} />
          <NumberField label="Diversity" value={number("diversity")} placeholder="0.5" min={0} max={1} step="any" onChange={(value) => set("diversity", value)} />
          <NumberField label="Candidates" value={number("candidates")} placeholder="100" min={1} onChange={(value) => set("candidates", value)} />
        </>
      );
    case "recommend":
      return (
        <>
          <Examples label="Like" value={rank["positive"]} onChange={(value) => set("positive", value)} />
          <Examples label="Not like" value={rank["negative"]} onChange={(value) => set("negative", value)} />
          <Choice
            label="Strategy"
            value={text("strategy")}
            options={[
              ["", "average"],
              ["RECOMMEND_STRATEGY_BEST_SCORE", "best score"],
              ["RECOMMEND_STRATEGY_SUM_SCORES", "sum of scores"],
            ]}
            onChange={(value) => set("strategy", value)}
          />
        </>
      );
    case "discover":
    case "context":
      return <JsonPart rank={rank} onChange={onChange} />;
    default:
      return null;
  }
}

function Bm25Form({ rank, info, set }: { rank: Rank; info: CollectionInfo; set: (name: string, value: Json | undefined) => void }) {
  const fields = ((rank["fields"] as { path?: string; weight?: number }[] | undefined) ?? []).map((each) => each.path + (each.weight === undefined ? "" : `^${each.weight}`)).join(", ");
  const setFields = (text: string) => {
    const parts = text.split(",").map((each) => each.trim()).filter(Boolean);
    set(
      "fields",
      parts.length
        ? parts.map((part): Json => {
            const [path = "", weight] = part.split("^");
            return weight && Number(weight) > 0 ? { path, weight: Number(weight) } : { path };
          })
        : undefined,
    );
  };
  return (
    <>
      <TextField label="Words" value={String(rank["text"] ?? "")} onChange={(value) => set("text", value || " ")} placeholder='boots "winter coat" +red -kids' wide />
      <TypedField label="Fields" value={fields} onChange={setFields} placeholder={Object.keys(info.textIndexes ?? {}).join(", ") || "title^2, body"} />
      <Check label="All terms" value={rank["allTerms"] === true} onChange={(value) => set("allTerms", value || undefined)} />
      <Check label="Last word is a prefix" value={rank["lastAsPrefix"] === true} onChange={(value) => set("lastAsPrefix", value || undefined)} />
      <Check label="Show matches" value={rank["highlight"] !== undefined} onChange={(value) => set("highlight", value ? {} : undefined)} />
    </>
  );
}

/** A field whose text is kept as it is typed, whatever it is read as. */
function TypedField({ label, value, onChange, placeholder }: { label: string; value: string; onChange: (text: string) => void; placeholder?: string }) {
  const [typed, setTyped] = useState(value);
  return <TextField label={label} value={typed} mono {...(placeholder ? { placeholder } : {})} onChange={(text) => (setTyped(text), onChange(text))} />;
}

function Weights({ value, onChange }: { value: Json | undefined; onChange: (value: number[] | undefined) => void }) {
  const read = (text: string) => {
    const numbers = text.split(/[\s,]+/).filter(Boolean).map(Number);
    onChange(numbers.length && numbers.every(Number.isFinite) ? numbers : undefined);
  };
  return <TypedField label="Weights" value={((value as number[] | undefined) ?? []).join(", ")} onChange={read} placeholder="1 for each prefetch" />;
}

/** Examples: ids of points. Those that are vectors stay as they are. */
function Examples({ label, value, onChange }: { label: string; value: Json | undefined; onChange: (value: Json[] | undefined) => void }) {
  const inputs = (value as Input[] | undefined) ?? [];
  const ids = inputs.flatMap((input) => (input["id"] ? [idText(input["id"] as PointId)] : []));
  const others = inputs.filter((input) => !input["id"]);
  const read = (text: string) => {
    const found = text.split(",").flatMap((part) => {
      const id = idOf(part);
      return id ? [{ id }] : [];
    });
    const all: Json[] = [...found, ...others];
    onChange(all.length ? all : undefined);
  };
  return <TypedField label={`${label}, ids`} value={ids.join(", ")} onChange={read} placeholder="1, 2" />;
}

/** The whole rank as JSON. */
function JsonPart({ rank, onChange }: { rank: Rank; onChange: (rank: Rank) => void }) {
  return <JsonField label="As JSON" value={rank} rows={6} onChange={(value) => value !== undefined && onChange(value as Rank)} />;
}

/** A JSON object, or nothing. */
export function JsonField({ label, value, onChange, hint, rows = 2 }: { label: string; value: Json | undefined; onChange: (value: Json | undefined) => void; hint?: string; rows?: number }) {
  const [typed, setTyped] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [wrong, setWrong] = useState("");
  const change = (text: string) => {
    setTyped(text);
    try {
      onChange(text.trim() ? parseRequestObject(text) : undefined);
      setWrong("");
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    }
  };
  const told = wrong || hint;
  return (
    <Labelled label={label} wide {...(told ? { hint: told } : {})}>
      {(id) => <textarea id={id} class="mono" rows={rows} spellcheck={false} aria-invalid={wrong !== ""} value={typed} onInput={(event) => change(event.currentTarget.value)} />}
    </Labelled>
  );
}
