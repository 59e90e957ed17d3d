/** The state of a collection or of a space, as a word with a dot. */

import { word } from "../parts/numbers";

const KINDS: Record<string, string> = {
  ready: "good",
  rebuilding: "busy",
  loading: "busy",
  indexing: "busy",
  pending: "busy",
  building: "busy",
  error: "bad",
};

export function StateMark({ state }: { state: string | undefined }) {
  const text = word(state, /STATE/.test(state ?? "") ? (state ?? "").replace(/STATE_.*/, "STATE_") : "");
  return <span class={`state ${KINDS[text] ?? "idle"}`}>{text || "unknown"}</span>;
}
