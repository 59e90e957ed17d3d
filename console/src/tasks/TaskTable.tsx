/** Tasks of background work, live: of one collection, or of all. */

import { call } from "../api/call";
import type { Task } from "../api/types";
import { Nothing } from "../parts/controls";
import { Failure } from "../parts/Failure";
import { useAction, useLoaded } from "../parts/loading";
import { bytes, count, moment, word } from "../parts/numbers";

const SECONDS = 1.5;
const ENDED = ["done", "failed", "cancelled"];

export function TaskTable({ collection }: { collection?: string }) {
  const { value, error, reload } = useLoaded(
    async (signal) => {
      const request = collection === undefined ? {} : { collectionName: collection };
      const known = await call<{ tasks?: Task[] }>("VDE/ListRebuildTasks", request, { signal });
      if (collection === undefined) return known.tasks ?? [];
      const due = await call<{ tasks?: Task[] }>("VDE/GetOptimizations", request, { signal });
      return [...(due.tasks ?? []).filter((task) => !task.taskId), ...(known.tasks ?? [])];
    },
    [collection],
    SECONDS,
  );
  const cancel = useAction(async (signal, id: string) => {
    await call("VDE/CancelRebuildTask", { taskId: id }, { signal });
    reload();
  });
  return (
    <>
      <Failure error={error ?? cancel.error} />
      {value?.length === 0 && <Nothing>No task runs, waits, or ended lately.</Nothing>}
      {value && value.length > 0 && (
        <div class="scroll">
          <table class="cards" aria-live="off">
            <thead>
              <tr>
                <th>Task</th>
                {collection === undefined && <th>Collection</th>}
                <th>Space</th>
                <th>Phase</th>
                <th>Progress</th>
                <th>Started</th>
                <th class="number">Took</th>
                <th></th>
              </tr>
            </thead>
            <tbody>
              {value.map((task, at) => (
                <TaskRow key={task.taskId || `due ${at}`} task={task} showsCollection={collection === undefined} onCancel={cancel.run} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function TaskRow({ task, showsCollection, onCancel }: { task: Task; showsCollection: boolean; onCancel: (id: string) => void }) {
  const [done, total] = [Number(task.done ?? 0), Number(task.total ?? 0)];
  const ended = ENDED.includes(task.phase ?? "");
  const mark = { done: "good", failed: "bad", cancelled: "idle" }[task.phase ?? ""] ?? "busy";
  return (
    <tr>
      <td data-label="Task">
        {word(task.kind, "TASK_KIND_")} <code class="hint">{task.taskId || "due"}</code>
      </td>
      {showsCollection && <td data-label="Collection">{task.collectionName}</td>}
      <td data-label="Space">{task.using || "unnamed"}</td>
      <td data-label="Phase">
        <span class={`state ${mark}`}>{task.taskId ? task.phase : "due"}</span>
        {task.error && <div class="hint">{task.error}</div>}
        {task.reclaimedBytes && <div class="hint">{bytes(task.reclaimedBytes)} given back</div>}
      </td>
      <td data-label="Progress">
        <progress value={total ? done : ended ? 1 : 0} max={total || 1} aria-label="Rows done" />{" "}
        <span class="hint">
          {count(task.done)} of {count(task.total)}
          {task.etaSeconds !== undefined && !ended ? `, ${Math.ceil(task.etaSeconds)} s left` : ""}
        </span>
      </td>
      <td data-label="Started">{moment(task.started)}</td>
      <td class="number" data-label="Took">
        {task.finished && task.started ? `${(task.finished - task.started).toFixed(1)} s` : ""}
      </td>
      <td>
        {!ended && task.taskId && (
          <button type="button" class="quiet" onClick={() => onCancel(task.taskId ?? "")}>
            Cancel
          </button>
        )}
      </td>
    </tr>
  );
}
