/** One stage of a query as a form. */

import type { Json } from "../api/json";
import type { CollectionInfo, Stage } from "../api/types";
import { Check, Choice, NumberField, TextField } from "../parts/controls";
import { FilterEditor } from "../points/FilterEditor";
import { pathsOf } from "../points/paths";
import { hasSpace, isFusion, kindOf, KINDS, spacesOf, withKind, type Kind } from "./kinds";
import { JsonField, RankForm } from "./RankForm";

interface Props {
  stage: Stage;
  isRoot: boolean;
  info: CollectionInfo;
  onChange: (stage: Stage) => void;
}

export function StageForm({ stage, isRoot, info, onChange }: Props) {
  const kind = kindOf(stage);
  const isLeaf = !stage.prefetch?.length;
  const set = (name: keyof Stage & string, value: unknown) => {
    const { [name]: _, ...rest } = stage;
    onChange(value === undefined || value === "" ? rest : { ...rest, [name]: value });
  };
  const kinds = KINDS.filter(([each]) => (isLeaf ? !isFusion(each) : each !== "all"));
  return (
    <div class="stack stage-form">
      <div class="fields">
        <Choice
          label="Rank by"
          broad
          value={kind ?? ""}
          options={kind === undefined ? [["", Object.keys(stage.query ?? {})[0] ?? ""], ...kinds] : kinds}
          onChange={(value) => onChange(withKind(stage, value as Kind, info))}
        />
        {hasSpace(kind) && <SpaceChoice info={info} value={stage.using} onChange={(value) => set("using", value)} />}
        {kind && kind !== "all" && (
          <RankForm key={kind} kind={kind} rank={stage.query?.[kind] ?? {}} info={info} onChange={(rank) => set("query", { [kind]: rank })} />
        )}
      </div>
      <div class="fields">
        <NumberField label="Limit" value={stage.limit} placeholder={isRoot ? "10" : "100"} min={1} max={10000} onChange={(value) => set("limit", value)} />
        {isRoot && <NumberField label="Offset" value={stage.offset} placeholder="0" min={0} onChange={(value) => set("offset", value)} />}
        <NumberField label="Score threshold" value={stage.scoreThreshold} step="any" onChange={(value) => set("scoreThreshold", value)} />
        {!isLeaf && stage.filter && (
          <Choice
            label="The filter"
            broad
            value={stage.filterScope ?? ""}
            options={[
              ["", "drops merged candidates"],
              ["FILTER_SCOPE_PUSH_DOWN", "restricts every leaf below"],
            ]}
            onChange={(value) => set("filterScope", value)}
          />
        )}
      </div>
      <FilterEditor value={stage.filter} onChange={(filter) => set("filter", filter)} paths={pathsOf(info)} />
      <SearchSettings stage={stage} onChange={(params) => set("params", params)} />
    </div>
  );
}

/** The space of a stage. */
export function SpaceChoice({ info, value, onChange, label = "Space" }: { info: CollectionInfo; value: string | undefined; onChange: (space: string | undefined) => void; label?: string }) {
  const spaces = spacesOf(info);
  // A key may be allowed to search without being told which spaces there are.
  if (!info.vectors && !info.sparseVectors && !info.seq) return <TextField label={label} value={value ?? ""} onChange={(text) => onChange(text || undefined)} placeholder="unnamed" mono />;
  if (spaces.length < 2) return null;
  const known = spaces.includes("") ? spaces.filter(Boolean) : spaces;
  const options: [string, string][] = known.map((name) => [`=${name}`, name]);
  if (value !== undefined && !known.includes(value)) options.push([`=${value}`, value || "unnamed"]);
  return (
    <Choice
      label={label}
      value={value === undefined ? "" : `=${value}`}
      options={[["", spaces.includes("") ? "unnamed" : "choose …"], ...options]}
      onChange={(chosen) => onChange(chosen ? chosen.slice(1) : undefined)}
    />
  );
}

function SearchSettings({ stage, onChange }: { stage: Stage; onChange: (params: { [key: string]: Json } | undefined) => void }) {
  const params = stage.params ?? {};
  const set = (name: string, value: Json | undefined) => {
    const { [name]: _, ...rest } = params;
    const next = value === undefined || value === "" || value === false ? rest : { ...rest, [name]: value };
    onChange(Object.keys(next).length ? next : undefined);
  };
  return (
    <details open={Object.keys(params).length > 0}>
      <summary>How it searches</summary>
      <div class="fields">
        <NumberField label="ef" value={params["hnswEf"] as number | undefined} placeholder="the space's" min={1} max={10000} onChange={(value) => set("hnswEf", value)} />
        <Choice
          label="Filter by"
          value={String(params["filterStrategy"] ?? "")}
          options={[
            ["", "auto"],
            ["FILTER_STRATEGY_PRE", "scanning what matches"],
            ["FILTER_STRATEGY_POST", "walking the index"],
          ]}
          onChange={(value) => set("filterStrategy", value)}
        />
        <Check label="Exact" value={params["exact"] === true} onChange={(value) => set("exact", value)} />
        <Check label="Indexed only" value={params["indexedOnly"] === true} onChange={(value) => set("indexedOnly", value)} />
        <JsonField key={String(stage.params === undefined)} label="All settings as JSON" value={stage.params} onChange={(value) => onChange(value as { [key: string]: Json } | undefined)} />
      </div>
    </details>
  );
}
