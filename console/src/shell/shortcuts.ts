/** Keys that work on every page: `g` and a letter goes to a page, ctrl-enter presses the page's main button. */

import { useEffect } from "preact/hooks";
import { go, placeOf } from "./router";

export const SHORTCUTS: readonly (readonly [string, string])[] = [
  ["g c", "Collections"],
  ["g t", "Tasks"],
  ["g m", "Metrics"],
  ["g o", "Overview of this collection"],
  ["g p", "Points of this collection"],
  ["g q", "Query this collection"],
  ["g d", "Two queries side by side"],
  ["g r", "Recall of this collection"],
  ["Ctrl Enter", "Run, from any field of the page"],
  ["/", "To the first field of the page"],
  ["?", "These shortcuts"],
  ["← ↑ → ↓", "Between the operators of a plan"],
];

const PAGES: Record<string, string> = { c: "collections", t: "tasks", m: "metrics" };
const TABS: Record<string, string> = { o: "overview", p: "points", q: "query", d: "compare", r: "recall" };
const MOST_MILLISECONDS = 1200;

/** Listens for the shortcuts while the console is there. */
export function useShortcuts(showHelp: () => void): void {
  useEffect(() => {
    let pressedG = 0;
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return runMain(event);
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      if (performance.now() - pressedG < MOST_MILLISECONDS) {
        pressedG = 0;
        if (follow(event.key)) event.preventDefault();
        return;
      }
      if (event.key === "g") pressedG = performance.now();
      else if (event.key === "?") showHelp();
      else if (event.key === "/") {
        event.preventDefault();
        document.querySelector<HTMLElement>("main :is(input, textarea, select)")?.focus();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function follow(key: string): boolean {
  const page = PAGES[key];
  if (page) go(page);
  const tab = TABS[key];
  const [section, name] = placeOf(location.hash);
  if (tab && section === "collections" && name !== undefined) go("collections", name, tab);
  return page !== undefined || tab !== undefined;
}

function runMain(event: KeyboardEvent): void {
  const button = document.querySelector<HTMLButtonElement>("dialog[open] button.primary, main button.primary");
  if (!button || button.disabled) return;
  event.preventDefault();
  button.click();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
