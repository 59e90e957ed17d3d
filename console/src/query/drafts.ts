/** The query that is being built for each collection. It outlives a change of page, and a reload of the tab. */

import type { Json } from "../api/json";
import type { Stage } from "../api/types";
import { asStage } from "./shape";

const PREFIX = "headwater.draft.";

/** The draft of a collection; `name` tells several drafts of it apart. */
export function draftOf(collection: string, name = "query"): Stage | undefined {
  try {
    const text = sessionStorage.getItem(`${PREFIX}${name}.${collection}`);
    return text ? asStage(JSON.parse(text) as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the draft. */
export function setDraft(collection: string, stage: Stage, name = "query"): void {
  try {
    sessionStorage.setItem(`${PREFIX}${name}.${collection}`, JSON.stringify(stage));
  } catch {
    // Without storage a draft lasts as long as its page.
  }
}
