/** One point in full: its payload and its vectors, and what can be done with it. */

import { useState } from "preact/hooks";
import { call } from "../api/call";
import type { Point, Vector } from "../api/types";
import { idText, payloadText, type PointId } from "../api/values";
import { CopyButton, Dialog } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction, useLoaded } from "../parts/loading";
import { count } from "../parts/numbers";
import { setDraft } from "../query/drafts";
import { go } from "../shell/router";

interface Props {
  collection: string;
  id: PointId;
  onClose: () => void;
  onChanged: () => void;
}

const SHOWN_VALUES = 12;

export function PointDetails({ collection, id, onClose, onChanged }: Props) {
  const { value, error } = useLoaded(
    async (signal) => {
      const reply = await call<{ points?: Point[] }>("Points/Get", { collectionName: collection, ids: [id], withVectors: { enable: true } }, { signal });
      return reply.points?.[0] ?? null;
    },
    [collection, idText(id)],
  );
  const [sure, setSure] = useState(false);
  const remove = useAction(async (signal) => {
    await call("Points/Delete", { collectionName: collection, selector: { ids: { ids: [id] } } }, { signal });
    onChanged();
    onClose();
  });
  const similar = (using: string) => {
    setDraft(collection, { query: { nearest: { id } }, using, limit: 10 });
    onClose();
    go("collections", collection, "query");
  };
  return (
    <Dialog title={`Point ${idText(id)}`} onClose={onClose}>
      <Failure error={error ?? remove.error} />
      {value === null && <p>It is not stored any more.</p>}
      {value && (
        <div class="stack">
          <div class="row">
            <span class="hint">written by commit {count(value.version)}</span>
            <CopyButton text={payloadText(value.payload)} label="Copy payload" />
          </div>
          <pre class="json">{payloadText(value.payload)}</pre>
          {Object.entries(value.vectors ?? {}).map(([name, vector]) => (
            <div key={name} class="vector">
              <strong>{name || "unnamed"}</strong> <code>{vectorText(vector)}</code>
              <span class="row">
                <CopyButton text={JSON.stringify(vector)} />
                <button type="button" class="quiet" onClick={() => similar(name)}>
                  Find similar
                </button>
              </span>
            </div>
          ))}
          <div class="row">
            {sure ? (
              <>
                <button type="button" class="danger" onClick={() => remove.run()} disabled={remove.running}>
                  Delete it for ever
                </button>
                <button type="button" onClick={() => setSure(false)}>
                  Keep it
                </button>
              </>
            ) : (
              <button type="button" class="danger" onClick={() => setSure(true)}>
                Delete …
              </button>
            )}
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** The first values of a vector. */
export function vectorText(vector: Vector): string {
  if (vector.sparse) {
    const { indices = [], values = [] } = vector.sparse;
    const shown = indices.slice(0, SHOWN_VALUES).map((index, at) => `${index}: ${values[at] ?? 0}`);
    return `{${shown.join(", ")}${indices.length > SHOWN_VALUES ? ", …" : ""}} of ${indices.length}`;
  }
  if (vector.multi) return `${vector.multi.vectors?.length ?? 0} vectors of ${vector.multi.vectors?.[0]?.values?.length ?? 0}`;
  const values = vector.dense?.values ?? [];
  return `[${values.slice(0, SHOWN_VALUES).join(", ")}${values.length > SHOWN_VALUES ? ", …" : ""}] of ${values.length}`;
}
