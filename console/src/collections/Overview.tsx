/** The health of one collection in full, and what can be done about it. */

import { useState } from "preact/hooks";
import { call } from "../api/call";
import type { SpaceStats } from "../api/types";
import { Dialog, Labelled, Nothing } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction, useLoaded } from "../parts/loading";
import { bytes, count, percent, word } from "../parts/numbers";
import { go, href } from "../shell/router";
import { TaskTable } from "../tasks/TaskTable";
import { diskBytes, healthOf, lowestRecall, type Health } from "./health";
import { StateMark } from "./StateMark";

const SECONDS = 3;

export function Overview({ name }: { name: string }) {
  const [deleting, setDeleting] = useState(false);
  // Reading counts opens a collection, so it stops while one is being closed.
  const [closing, setClosing] = useState(false);
  const { value, error, reload } = useLoaded(async (signal) => (closing ? undefined : healthOf(name, signal)), [name, closing], SECONDS);
  const work = useAction(async (signal, method: string, request: object) => {
    await call(method, { collectionName: name, ...request }, { signal });
    reload();
  });
  const close = useAction(async (signal) => {
    setClosing(true);
    await nextFrame();
    try {
      await call("VDE/Close", { collectionName: name }, { signal });
    } finally {
      setClosing(false);
    }
  });
  const isClosed = value?.state.state === "COLLECTION_STATE_CLOSED";
  return (
    <>
      <Failure error={error ?? work.error ?? close.error} />
      {value && <Figures health={value} />}
      {value?.state.reason && <p class="notice">{value.state.reason}</p>}
      {value && <Spaces health={value} />}
      {value && <FieldIndexes health={value} />}
      <section>
        <h2>Work</h2>
        <div class="row">
          {isClosed ? (
            <button type="button" onClick={() => work.run("VDE/Open", {})}>
              Open
            </button>
          ) : (
            <>
              <button type="button" title="Build indexes and merge segments that are due" onClick={() => work.run("VDE/Optimize", { wait: false })}>
                Optimize
              </button>
              <button type="button" title="Build all indexes anew" onClick={() => work.run("VDE/RebuildIndex", { wait: false })}>
                Rebuild indexes
              </button>
              <button type="button" title="Give the room of deleted vectors back" onClick={() => work.run("VDE/CompactCollection", { wait: false })}>
                Compact
              </button>
              <button type="button" title="Unmap its files and free its memory" onClick={() => close.run()}>
                Close
              </button>
            </>
          )}
          <a class="button" href={href("import", name)}>
            Import a file
          </a>
          <button type="button" class="danger" onClick={() => setDeleting(true)}>
            Delete …
          </button>
        </div>
        {value && !isClosed && <TaskTable collection={name} />}
      </section>
      {deleting && <DeleteDialog name={value?.info?.collectionName ?? name} onClose={() => setDeleting(false)} />}
    </>
  );
}

/** Until what was set is drawn, and what it ends has ended. */
const nextFrame = (): Promise<void> => new Promise((done) => setTimeout(done, 50));

function Figures({ health }: { health: Health }) {
  const { stats, info, state } = health;
  const recall = lowestRecall(stats);
  const vectors = Number(stats?.total?.vectors ?? 0);
  return (
    <dl class="figures">
      <div>
        <dt>State</dt>
        <dd>
          <StateMark state={state.state} />
        </dd>
      </div>
      {stats && (
        <>
          <Figure name="Points" value={count(stats.points)} />
          <Figure name="Vectors" value={count(stats.total?.vectors)} />
          <Figure name="Indexed" value={vectors ? percent(Number(stats.total?.indexedVectors ?? 0) / vectors) : "–"} />
          <Figure name="Segments" value={count(stats.total?.segments)} />
          <Figure name="Recall" value={recall === undefined ? "exact" : recall.toFixed(3)} />
          <Figure name="On disk" value={bytes(diskBytes(stats))} />
          <Figure name="Commit" value={count(stats.seq)} />
          {info && info.collectionName !== health.name && <Figure name="Alias of" value={info.collectionName} />}
          {info?.aliases?.length ? <Figure name="Aliases" value={info.aliases.join(", ")} /> : null}
          {Number(stats.failedWrites ?? 0) > 0 && <Figure name="Failed writes" value={`${count(stats.failedWrites)}: ${stats.lastFailedWrite}`} />}
        </>
      )}
    </dl>
  );
}

const Figure = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function Spaces({ health }: { health: Health }) {
  const { info, stats, state } = health;
  const dense = Object.entries(info?.vectors ?? {});
  const sparse = Object.entries(info?.sparseVectors ?? {});
  if (!info) return null;
  return (
    <section>
      <h2>Vector spaces</h2>
      {dense.length + sparse.length === 0 && <Nothing>It has none.</Nothing>}
      {dense.length + sparse.length > 0 && (
        <div class="scroll">
          <table class="cards">
            <thead>
              <tr>
                <th>Space</th>
                <th>State</th>
                <th>Metric</th>
                <th>Index</th>
                <th class="number">Vectors</th>
                <th class="number">Indexed</th>
                <th class="number">Scanned</th>
                <th class="number">Deleted</th>
                <th class="number">Segments</th>
                <th class="number">Recall</th>
                <th class="number">Disk</th>
                <th class="number">Mapped</th>
              </tr>
            </thead>
            <tbody>
              {dense.map(([name, space]) => {
                const params = space.params;
                const settings = `${params?.size} × ${word(params?.distance, "DISTANCE_")}${params?.multivectorConfig ? ", multi" : ""}`;
                return <SpaceRow key={name} name={name} metric={settings} state={state.spaces?.[name]} stats={stats?.spaces?.[name]} />;
              })}
              {sparse.map(([name]) => (
                <SpaceRow key={`sparse ${name}`} name={name} metric="sparse" state={state.spaces?.[name]} stats={stats?.spaces?.[name]} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function SpaceRow({ name, metric, state, stats }: { name: string; metric: string; state: string | undefined; stats: SpaceStats | undefined }) {
  return (
    <>
      <tr>
        <td data-label="Space">
          <strong>{name || "unnamed"}</strong>
        </td>
        <td data-label="State">{state && <StateMark state={state} />}</td>
        <td data-label="Metric">{metric}</td>
        <td data-label="Index">
          {stats?.index} <span class="hint">{stats?.datatype}</span>
        </td>
        <td class="number" data-label="Vectors">
          {count(stats?.vectors)}
        </td>
        <td class="number" data-label="Indexed">
          {count(stats?.indexedVectors)}
        </td>
        <td class="number" data-label="Scanned">
          {count(stats?.tailVectors)}
        </td>
        <td class="number" data-label="Deleted">
          {count(stats?.deletedVectors)}
        </td>
        <td class="number" data-label="Segments">
          {count(stats?.segments)}
        </td>
        <td class="number" data-label="Recall">
          {stats?.recall?.toFixed(3) ?? "exact"}
        </td>
        <td class="number" data-label="Disk">
          {bytes(stats?.diskBytes)}
        </td>
        <td class="number" data-label="Mapped">
          {bytes(stats?.mappedBytes)}
        </td>
      </tr>
      {stats?.warning && (
        <tr>
          <td colSpan={12}>
            <p class="notice">{stats.warning}</p>
          </td>
        </tr>
      )}
    </>
  );
}

function FieldIndexes({ health }: { health: Health }) {
  const fields = Object.entries(health.info?.payloadSchema ?? {});
  const texts = Object.entries(health.info?.textIndexes ?? {});
  if (fields.length + texts.length === 0) return null;
  return (
    <section>
      <h2>Indexes of payload fields</h2>
      <ul class="plain">
        {fields.map(([path, index]) => (
          <li key={path}>
            <code>{path}</code> {word(index.params?.type, "FIELD_TYPE_")}, {count(index.points)} points <StateMark state={index.state} />
          </li>
        ))}
        {texts.map(([path, index]) => (
          <li key={`text ${path}`}>
            <code>{path}</code> text for BM25, {word(String(index["tokenizer"] ?? ""), "TEXT_TOKENIZER_")}
            {index["stemming"] ? `, stems of ${String(index["language"])}` : ""}
          </li>
        ))}
      </ul>
    </section>
  );
}

function DeleteDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const remove = useAction(async (signal) => {
    await call("Collections/Delete", { collectionName: name }, { signal });
    onClose();
    go("collections");
  });
  return (
    <Dialog title="Delete the collection" onClose={onClose}>
      <form noValidate class="stack" onSubmit={(event) => (event.preventDefault(), typed === name && remove.run())}>
        <p>
          <strong>{name}</strong> is deleted with all its points. This cannot be undone.
        </p>
        <Labelled label="Type its name" wide>
          {(id) => <input id={id} autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />}
        </Labelled>
        <Failure error={remove.error} />
        <div class="row">
          <button type="submit" class="danger" disabled={typed !== name || remove.running}>
            Delete for ever
          </button>
        </div>
      </form>
    </Dialog>
  );
}
