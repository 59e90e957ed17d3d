/** The tasks of all collections. */

import { TaskTable } from "./TaskTable";

export function TasksPage() {
  return (
    <>
      <div class="head">
        <h1>Tasks</h1>
      </div>
      <TaskTable />
    </>
  );
}
