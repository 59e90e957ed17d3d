/** The tree of stages of a query: an outline, whose chosen stage is shown as a form. */

import { useState } from "preact/hooks";
import type { CollectionInfo, Stage } from "../api/types";
import { isFusion, kindOf, newLeaf, summary } from "./kinds";
import { StageForm } from "./StageForm";
import { duplicated, moved, replaced, stageAt, stageName, unwrapped, withChild, without, wrapped, type Path } from "./tree";

interface Props {
  root: Stage;
  info: CollectionInfo;
  onChange: (root: Stage) => void;
  /** Names of stages that are marked, such as those that lose a point. */
  marks?: ReadonlyMap<string, string>;
}

export function Builder({ root, info, onChange, marks }: Props) {
  const [chosen, setChosen] = useState<Path>([]);
  const path = stageAt(root, chosen) ? chosen : [];
  const stage = stageAt(root, path) ?? root;
  const change = (next: Stage, to: Path = path) => {
    setChosen(to);
    onChange(next);
  };
  return (
    <div class="builder">
      <ul class="outline" role="tree" aria-label="Stages" onKeyDown={moveFocus}>
        <OutlineStage stage={root} path={[]} chosen={path} onChoose={setChosen} marks={marks} />
      </ul>
      <Actions root={root} path={path} stage={stage} info={info} onChange={change} />
      <StageForm key={stageName(path)} stage={stage} isRoot={path.length === 0} info={info} onChange={(next) => onChange(replaced(root, path, next))} />
    </div>
  );
}

function OutlineStage({ stage, path, chosen, onChoose, marks }: { stage: Stage; path: Path; chosen: Path; onChoose: (path: Path) => void; marks: Props["marks"] }) {
  const isChosen = path.join() === chosen.join() && path.length === chosen.length;
  const children = stage.prefetch ?? [];
  const kind = kindOf(stage);
  const role = isFusion(kind) ? "fusion" : children.length ? "re-rank" : "leaf";
  return (
    <li role="none">
      <button
        type="button"
        role="treeitem"
        aria-selected={isChosen}
        aria-level={path.length + 1}
        tabIndex={isChosen ? 0 : -1}
        class={`stage ${marks?.get(stageName(path)) ?? ""}`}
        onClick={() => onChoose(path)}
      >
        <span class={`role ${role}`}>{role}</span>
        <span class="what">{summary(stage)}</span>
        <span class="hint">
          {stage.using !== undefined && ` in ${stage.using || "unnamed"}`} {stage.filter && "filtered "}
          {stage.limit !== undefined && `≤ ${stage.limit}`}
        </span>
      </button>
      {children.length > 0 && (
        <ul role="group">
          {children.map((child, at) => (
            <OutlineStage key={at} stage={child} path={[...path, at]} chosen={chosen} onChoose={onChoose} marks={marks} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Actions({ root, path, stage, info, onChange }: { root: Stage; path: Path; stage: Stage; info: CollectionInfo; onChange: (root: Stage, path?: Path) => void }) {
  const isRoot = path.length === 0;
  const isLeaf = !stage.prefetch?.length;
  const above = path.slice(0, -1);
  const at = path.at(-1) ?? 0;
  const siblings = isRoot ? 1 : (stageAt(root, above)?.prefetch?.length ?? 1);
  const addLeaf = () => {
    if (!isLeaf) return onChange(withChild(root, path, newLeaf(info, 100)), [...path, stage.prefetch?.length ?? 0]);
    // A leaf gets a companion: both are fused in its place.
    const fused = wrapped(root, path, { rrf: {} });
    onChange(withChild(fused, path, newLeaf(info, 100)), [...path, 1]);
  };
  const rerank = () => {
    const leaf = newLeaf(info);
    onChange(wrapped(root, path, leaf.query ?? { sample: {} }, leaf.using === undefined ? {} : { using: leaf.using }));
  };
  return (
    <div class="row actions" role="toolbar" aria-label="Change the tree">
      <button type="button" onClick={addLeaf} title={isLeaf ? "Fuse it with another leaf" : "Add a prefetch below it"}>
        Add leaf
      </button>
      <button type="button" onClick={() => onChange(wrapped(root, path, { rrf: {} }))} title="Put it below a fusion">
        Fuse
      </button>
      <button type="button" onClick={rerank} title="Put it below a stage that ranks again">
        Re-rank
      </button>
      {stage.prefetch?.length === 1 && (
        <button type="button" onClick={() => onChange(unwrapped(root, path))} title="Leave its prefetch in its place">
          Unwrap
        </button>
      )}
      {!isRoot && (
        <>
          <button type="button" onClick={() => onChange(duplicated(root, path), [...above, at + 1])}>
            Copy
          </button>
          <button type="button" aria-label="Move up" disabled={at === 0} onClick={() => onChange(moved(root, path, -1), [...above, at - 1])}>
            ↑
          </button>
          <button type="button" aria-label="Move down" disabled={at + 1 >= siblings} onClick={() => onChange(moved(root, path, 1), [...above, at + 1])}>
            ↓
          </button>
          <button type="button" aria-label="Remove this stage" onClick={() => onChange(without(root, path), above)}>
            ✕
          </button>
        </>
      )}
    </div>
  );
}

/** Arrow keys go through the stages as they are listed. */
function moveFocus(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=treeitem]")];
  const next = items[items.indexOf(event.target as HTMLElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}
