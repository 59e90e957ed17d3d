/** Two queries side by side. */
import type { CollectionInfo } from "../api/types";
export function ComparePage(_: { info: CollectionInfo }) {
  return null;
}
