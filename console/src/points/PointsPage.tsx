/** The points of a collection, in pages by id, as far as a filter lets them through. */

import { useState } from "preact/hooks";
import { call } from "../api/call";
import type { CollectionInfo, Filter, Point } from "../api/types";
import { cellText, idText, type PointId } from "../api/values";
import { Nothing } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useLoaded } from "../parts/loading";
import { count } from "../parts/numbers";
import { FilterEditor } from "./FilterEditor";
import { learnPaths, pathsOf } from "./paths";
import { PointDetails } from "./PointDetails";

const PAGE = 50;
const COLUMNS = 7;

export function PointsPage({ info }: { info: CollectionInfo }) {
  const name = info.collectionName;
  const [draft, setDraft] = useState<Filter | undefined>();
  const [filter, setFilter] = useState<Filter | undefined>();
  const [starts, setStarts] = useState<(PointId | undefined)[]>([undefined]);
  const [open, setOpen] = useState<PointId | undefined>();
  const offset = starts.at(-1);
  const { value, error, loading, reload } = useLoaded(
    async (signal) => {
      const request = { collectionName: name, ...(filter ? { filter } : {}) };
      const [page, total] = await Promise.all([
        call<{ points?: Point[]; nextOffset?: PointId }>("Points/Scroll", { ...request, limit: PAGE, ...(offset ? { offset } : {}) }, { signal }),
        call<{ count?: string }>("Points/Count", request, { signal }),
      ]);
      learnPaths(name, page.points ?? []);
      return { points: page.points ?? [], next: page.nextOffset, total: total.count ?? "0" };
    },
    [name, JSON.stringify(filter), JSON.stringify(offset)],
  );
  const apply = (event: Event) => {
    event.preventDefault();
    setStarts([undefined]);
    if (JSON.stringify(draft) === JSON.stringify(filter)) reload();
    else setFilter(draft);
  };
  return (
    <>
      <form noValidate class="panel stack" onSubmit={apply}>
        <FilterEditor value={draft} onChange={setDraft} paths={pathsOf(info)} />
        <div class="row">
          <button type="submit" class="primary">
            Show
          </button>
          {filter && (
            <button type="button" onClick={() => (setDraft(undefined), setFilter(undefined), setStarts([undefined]))}>
              Show all
            </button>
          )}
          <span class="hint" role="status">
            {value && `${count(value.total)} ${filter ? "match" : "points"}`}
            {loading && !value && "…"}
          </span>
        </div>
      </form>
      <Failure error={error} />
      {value?.points.length === 0 && <Nothing>{filter ? "No point matches." : "It has no points yet."}</Nothing>}
      {value && value.points.length > 0 && <PointTable points={value.points} onOpen={setOpen} />}
      <div class="row pager">
        <button type="button" disabled={starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}>
          Before
        </button>
        <span class="hint">page {starts.length}</span>
        <button type="button" disabled={!value?.next} onClick={() => value?.next && setStarts([...starts, value.next])}>
          Next
        </button>
      </div>
      {open && <PointDetails collection={name} id={open} onClose={() => setOpen(undefined)} onChanged={reload} />}
    </>
  );
}

function PointTable({ points, onOpen }: { points: Point[]; onOpen: (id: PointId) => void }) {
  const keys = frequentKeys(points);
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Id</th>
            {keys.map((key) => (
              <th key={key}>{key}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={idText(point.id)}>
              <td>
                <button type="button" class="link mono" onClick={() => onOpen(point.id)}>
                  {idText(point.id)}
                </button>
              </td>
              {keys.map((key) => (
                <td class="clip" key={key}>
                  {cellText(point.payload?.fields?.[key])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The keys that most points have, in the order in which they are met. */
export function frequentKeys(points: Point[], most = COLUMNS): string[] {
  const counts = new Map<string, number>();
  for (const point of points) for (const key of Object.keys(point.payload?.fields ?? {})) counts.set(key, (counts.get(key) ?? 0) + 1);
  const kept = new Set([...counts].sort((one, other) => other[1] - one[1]).slice(0, most).map(([key]) => key));
  return [...counts.keys()].filter((key) => kept.has(key));
}
