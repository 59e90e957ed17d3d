/** Makes a collection: its name and its spaces. */

import { useState } from "preact/hooks";
import { call } from "../api/call";
import { Choice, Dialog, NumberField, TextField } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction } from "../parts/loading";
import { go } from "../shell/router";

export interface SpaceDraft {
  name: string;
  kind: "dense" | "multi" | "sparse";
  size: number | undefined;
  distance: string;
  index: string;
}

export const DISTANCES = [
  ["DISTANCE_COSINE", "cosine"],
  ["DISTANCE_DOT", "dot"],
  ["DISTANCE_EUCLID", "euclid"],
  ["DISTANCE_MANHATTAN", "manhattan"],
  ["DISTANCE_HAMMING", "hamming"],
  ["DISTANCE_JACCARD", "jaccard"],
] as const;

const INDEXES = [
  ["INDEX_KIND_AUTO", "auto"],
  ["INDEX_KIND_HNSW", "hnsw"],
  ["INDEX_KIND_IVF", "ivf"],
  ["INDEX_KIND_FLAT", "flat"],
] as const;

const FIELD_TYPES = ["keyword", "integer", "float", "bool", "datetime", "uuid", "geo", "text"];

export const newSpace = (name = "", size: number | undefined = undefined): SpaceDraft => ({
  name,
  kind: "dense",
  size,
  distance: "DISTANCE_COSINE",
  index: "INDEX_KIND_AUTO",
});

/** The request that makes a collection. */
export function createRequest(name: string, spaces: SpaceDraft[], indexes: string, texts: string): object {
  const dense = spaces.filter((space) => space.kind !== "sparse");
  return {
    collectionName: name,
    vectors: Object.fromEntries(
      dense.map((space) => [
        space.name,
        {
          size: String(space.size ?? 0),
          distance: space.distance,
          index: space.index,
          ...(space.kind === "multi" ? { multivectorConfig: {} } : {}),
        },
      ]),
    ),
    sparseVectors: Object.fromEntries(spaces.filter((space) => space.kind === "sparse").map((space) => [space.name, {}])),
    payloadSchema: Object.fromEntries(
      words(indexes).map((each) => {
        const [path = "", type = "keyword"] = each.split(":");
        return [path, { type: `FIELD_TYPE_${type.toUpperCase()}` }];
      }),
    ),
    textIndexes: Object.fromEntries(words(texts).map((path) => [path, {}])),
  };
}

const words = (text: string): string[] => text.split(",").map((each) => each.trim()).filter(Boolean);

export function CreateDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [spaces, setSpaces] = useState<SpaceDraft[]>([newSpace()]);
  const [indexes, setIndexes] = useState("");
  const [texts, setTexts] = useState("");
  const create = useAction(async (signal) => {
    await call("Collections/Create", createRequest(name, spaces, indexes, texts), { signal });
    onClose();
    go("collections", name);
  });
  return (
    <Dialog title="New collection" onClose={onClose}>
      <form noValidate class="stack" onSubmit={(event) => (event.preventDefault(), create.run())}>
        <TextField label="Name" value={name} onChange={setName} wide />
        <SpacesForm spaces={spaces} onChange={setSpaces} />
        <TextField
          label="Indexes of payload fields"
          value={indexes}
          onChange={setIndexes}
          placeholder="brand:keyword, price:float"
          hint={`path:type; types: ${FIELD_TYPES.join(", ")}`}
          wide
        />
        <TextField label="Text indexes, for BM25" value={texts} onChange={setTexts} placeholder="title, description" wide />
        <Failure error={create.error} />
        <div class="row">
          <button type="submit" class="primary" disabled={create.running}>
            Create
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The spaces of a collection that is to be made. */
export function SpacesForm({ spaces, onChange }: { spaces: SpaceDraft[]; onChange: (spaces: SpaceDraft[]) => void }) {
  const set = (at: number, change: Partial<SpaceDraft>) =>
    onChange(spaces.map((space, each) => (each === at ? { ...space, ...change } : space)));
  return (
    <fieldset>
      <legend>Vector spaces</legend>
      {spaces.map((space, at) => (
        <div class="fields" key={at}>
          <TextField label="Name" value={space.name} onChange={(value) => set(at, { name: value })} placeholder="unnamed" />
          <Choice
            label="Holds"
            value={space.kind}
            options={[
              ["dense", "one vector"],
              ["multi", "multi-vectors"],
              ["sparse", "sparse vectors"],
            ]}
            onChange={(value) => set(at, { kind: value as SpaceDraft["kind"] })}
          />
          {space.kind !== "sparse" && (
            <>
              <NumberField label="Dimensions" value={space.size} min={1} max={65536} onChange={(value) => set(at, { size: value })} />
              <Choice label="Metric" value={space.distance} options={DISTANCES} onChange={(value) => set(at, { distance: value })} />
              <Choice label="Index" value={space.index} options={INDEXES} onChange={(value) => set(at, { index: value })} />
            </>
          )}
          <button type="button" class="quiet bottom" aria-label={`Remove space ${at + 1}`} onClick={() => onChange(spaces.filter((_, each) => each !== at))}>
            ✕
          </button>
        </div>
      ))}
      <button type="button" onClick={() => onChange([...spaces, newSpace()])}>
        Add a space
      </button>
    </fieldset>
  );
}
