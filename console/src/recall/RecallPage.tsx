/** Recall. */
import type { CollectionInfo } from "../api/types";
export function RecallPage(_: { info: CollectionInfo }) {
  return null;
}
