/** The frame of the console: its top bar, its pages by place, and its shortcuts. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { currentKey, keyIsRemembered, onKeyChange, setKey } from "../api/call";
import { CollectionPage } from "../collections/CollectionPage";
import { CollectionsPage } from "../collections/CollectionsPage";
import { ImportPage } from "../import/ImportPage";
import { MetricsPage } from "../metrics/MetricsPage";
import { Check, Dialog, Labelled } from "../parts/controls";
import { TasksPage } from "../tasks/TasksPage";
import { Boundary } from "./Boundary";
import { SHORTCUTS, useShortcuts } from "./shortcuts";
import { href, usePlace } from "./router";
import { currentTheme, nextTheme, setTheme } from "./theme";

export function App() {
  const place = usePlace();
  const [dialog, setDialog] = useState<"" | "key" | "help">("");
  useShortcuts(() => setDialog("help"));
  useEffect(() => {
    document.title = place.length > 1 ? `${place[1]} · Headwater` : "Headwater";
  }, [place]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.querySelector("main")?.focus())}>
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href={href()}>
          <Mark /> Headwater
        </a>
        <nav aria-label="Pages">
          <Tab to={["collections"]} place={place} isHome>
            Collections
          </Tab>
          <Tab to={["tasks"]} place={place}>
            Tasks
          </Tab>
          <Tab to={["metrics"]} place={place}>
            Metrics
          </Tab>
        </nav>
        <div class="bar-end">
          <KeyButton onClick={() => setDialog("key")} />
          <ThemeButton />
          <button type="button" class="quiet" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => setDialog("help")}>
            ?
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Boundary key={place.join("/")}>
          <Page place={place} />
        </Boundary>
      </main>
      {dialog === "key" && <KeyDialog onClose={() => setDialog("")} />}
      {dialog === "help" && <HelpDialog onClose={() => setDialog("")} />}
    </>
  );
}

function Page({ place }: { place: string[] }) {
  const [page, name, tab] = place;
  if (page === "collections" && name !== undefined) return <CollectionPage key={name} name={name} tab={tab ?? "overview"} />;
  if (page === "tasks") return <TasksPage />;
  if (page === "metrics") return <MetricsPage />;
  if (page === "import") return <ImportPage key={name ?? ""} into={name} />;
  return <CollectionsPage />;
}

function Tab({ to, place, isHome, children }: { to: string[]; place: string[]; isHome?: boolean; children: ComponentChildren }) {
  const isCurrent = place[0] === to[0] || (isHome === true && place[0] === undefined);
  return (
    <a href={href(...to)} aria-current={isCurrent ? "page" : undefined}>
      {children}
    </a>
  );
}

function KeyButton({ onClick }: { onClick: () => void }) {
  const [key, setShown] = useState(currentKey);
  useEffect(() => onKeyChange(() => setShown(currentKey())), []);
  return (
    <button type="button" class="quiet" onClick={onClick} title="The api-key that requests carry">
      {key ? "Key set" : "Api-key"}
    </button>
  );
}

function ThemeButton() {
  const [theme, setShown] = useState(currentTheme);
  const toNext = () => {
    const next = nextTheme(theme);
    setTheme(next);
    setShown(next);
  };
  const sign = { system: "◐", light: "☀", dark: "☾" }[theme];
  return (
    <button type="button" class="quiet" aria-label={`Colours: ${theme}`} title={`Colours: ${theme}`} onClick={toNext}>
      {sign}
    </button>
  );
}

function KeyDialog({ onClose }: { onClose: () => void }) {
  const [key, setShown] = useState(currentKey);
  const [remember, setRemember] = useState(keyIsRemembered);
  const save = (event: Event) => {
    event.preventDefault();
    setKey(key, remember);
    onClose();
  };
  return (
    <Dialog title="Api-key" onClose={onClose}>
      <form noValidate class="stack" onSubmit={save}>
        <Labelled label="Key" hint="Every request of this page carries it. It stays in the memory of this tab." wide>
          {(id) => (
            <input id={id} type="password" autocomplete="off" autofocus value={key} onInput={(event) => setShown(event.currentTarget.value)} />
          )}
        </Labelled>
        <Check label="Keep it when this tab reloads" value={remember} onChange={setRemember} />
        <div class="row">
          <button type="submit" class="primary">
            Use
          </button>
          <button type="button" onClick={() => (setKey("", false), onClose())}>
            Forget
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

const Mark = () => (
  <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
    <path d="M5 3c0 5 7 5 7 10v7M19 3c0 5-7 5-7 10" />
    <path d="M12 3v6" opacity=".55" />
  </svg>
);
