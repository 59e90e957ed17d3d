/** All collections and their health. */

import { useState } from "preact/hooks";
import { CallError } from "../api/call";
import { Nothing } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useLoaded } from "../parts/loading";
import { bytes, count, percent, word } from "../parts/numbers";
import { href } from "../shell/router";
import { CreateDialog } from "./CreateDialog";
import { diskBytes, healthOfAll, lowestRecall, namesOf, type Health } from "./health";
import { StateMark } from "./StateMark";

const PAGE = 50;
const SECONDS = 8;

export function CollectionsPage() {
  const [prefix, setPrefix] = useState("");
  const [page, setPage] = useState(0);
  const [creating, setCreating] = useState(false);
  const { value, error } = useLoaded(
    async (signal) => {
      const names = await namesOf(prefix, signal);
      return { names, health: await healthOfAll(names.slice(page * PAGE, (page + 1) * PAGE), signal) };
    },
    [prefix, page],
    SECONDS,
  );
  const pages = Math.max(1, Math.ceil((value?.names.length ?? 0) / PAGE));
  return (
    <>
      <div class="head">
        <h1>Collections</h1>
        <input
          type="search"
          class="search"
          aria-label="Only names that start with"
          placeholder="Names that start with …"
          value={prefix}
          onInput={(event) => (setPrefix(event.currentTarget.value), setPage(0))}
        />
        <div class="row end">
          <a class="button" href={href("import")}>
            Import a file
          </a>
          <button type="button" class="primary" onClick={() => setCreating(true)}>
            New collection
          </button>
        </div>
      </div>
      <Failure error={error} />
      {value && value.names.length === 0 && (
        <Nothing>{prefix ? "No name starts like this." : "There is no collection yet. Make one, or import a file."}</Nothing>
      )}
      {value && value.names.length > 0 && <HealthTable rows={value.health} />}
      {pages > 1 && (
        <div class="row pager">
          <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Before
          </button>
          <span>
            page {page + 1} of {pages}
          </span>
          <button type="button" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>
            Next
          </button>
        </div>
      )}
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function HealthTable({ rows }: { rows: Health[] }) {
  return (
    <div class="scroll">
      <table class="cards">
        <thead>
          <tr>
            <th>Name</th>
            <th>State</th>
            <th class="number">Points</th>
            <th>Spaces</th>
            <th class="number">Indexed</th>
            <th class="number">Segments</th>
            <th class="number" title="The lowest recall at 10 of any index, measured when it was built">
              Recall
            </th>
            <th class="number">On disk</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <HealthRow key={row.name} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HealthRow({ row }: { row: Health }) {
  const total = row.stats?.total;
  const recall = lowestRecall(row.stats);
  const vectors = Number(total?.vectors ?? 0);
  const warnings = Object.values(row.state.warnings ?? {});
  return (
    <tr>
      <td data-label="Name">
        <a class="name" href={href("collections", row.name)}>
          {row.name}
        </a>
      </td>
      <td data-label="State">
        {row.error ? <span class="state bad">{(row.error as CallError).message}</span> : <StateMark state={row.state.state} />}
        {row.state.reason && <div class="hint">{row.state.reason}</div>}
        {warnings.length > 0 && (
          <span class="warning" title={warnings.join("\n")}>
            low recall
          </span>
        )}
      </td>
      <td class="number" data-label="Points">
        {row.stats && count(row.stats.points)}
      </td>
      <td data-label="Spaces">
        {Object.entries(row.info?.vectors ?? {}).map(([name, space]) => (
          <span class="tag" key={name}>
            {name || "unnamed"} {space.params?.size} {word(space.params?.distance, "DISTANCE_")}
          </span>
        ))}
        {Object.keys(row.info?.sparseVectors ?? {}).map((name) => (
          <span class="tag" key={`sparse ${name}`}>
            {name} sparse
          </span>
        ))}
      </td>
      <td class="number" data-label="Indexed">
        {row.stats && (vectors ? percent(Number(total?.indexedVectors ?? 0) / vectors) : "–")}
      </td>
      <td class="number" data-label="Segments">
        {row.stats && count(total?.segments)}
      </td>
      <td class="number" data-label="Recall">
        {row.stats && (recall === undefined ? "exact" : recall.toFixed(3))}
      </td>
      <td class="number" data-label="On disk">
        {row.stats && bytes(diskBytes(row.stats))}
      </td>
    </tr>
  );
}
