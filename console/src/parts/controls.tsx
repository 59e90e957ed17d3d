/** Small controls that several pages use. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

/** A label above what it names. */
export function Labelled({ label, hint, wide, broad, children }: { label: string; hint?: string; wide?: boolean; broad?: boolean; children: (id: string) => ComponentChildren }) {
  const id = useId();
  return (
    <div class={`labelled ${wide ? "wide" : broad ? "broad" : ""}`}>
      <label for={id}>{label}</label>
      {children(id)}
      {hint && <span class="hint">{hint}</span>}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  placeholder?: string;
  wide?: boolean;
  broad?: boolean;
  list?: string[];
  mono?: boolean;
}

/** A line of text, with suggestions if there are any. */
export function TextField({ label, value, onChange, hint, placeholder, wide, broad, list, mono }: TextProps) {
  const listId = useId();
  return (
    <Labelled label={label} {...(hint ? { hint } : {})} {...(wide ? { wide } : {})} {...(broad ? { broad } : {})}>
      {(id) => (
        <>
          <input
            id={id}
            class={mono ? "mono" : ""}
            value={value}
            placeholder={placeholder ?? ""}
            list={list?.length ? listId : undefined}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {list?.length ? (
            <datalist id={listId}>
              {list.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          ) : null}
        </>
      )}
    </Labelled>
  );
}

/** A number that may be left out. */
export function NumberField({ label, value, onChange, hint, placeholder, min, max, step }: {
  label: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  hint?: string;
  placeholder?: string;
  min?: number;
  max?: number;
  step?: number | "any";
}) {
  return (
    <Labelled label={label} {...(hint ? { hint } : {})}>
      {(id) => (
        <input
          id={id}
          type="number"
          class="number"
          value={value ?? ""}
          placeholder={placeholder ?? ""}
          min={min}
          max={max}
          step={step ?? 1}
          onInput={(event) => {
            const text = event.currentTarget.value;
            onChange(text === "" || !Number.isFinite(Number(text)) ? undefined : Number(text));
          }}
        />
      )}
    </Labelled>
  );
}

/** One of some values, each with its label. */
export function Choice({ label, value, options, onChange, hint, broad }: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
  hint?: string;
  broad?: boolean;
}) {
  return (
    <Labelled label={label} {...(hint ? { hint } : {})} {...(broad ? { broad } : {})}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map(([each, text]) => (
            <option key={each} value={each}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** A mark that is set or not. */
export function Check({ label, value, onChange }: { label: string; value: boolean; onChange: (value: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** One of a few views. Arrow keys move between them. */
export function Segmented({ label, value, options, onChange }: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) {
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex(([each]) => each === value);
    const next = options[(at + step + options.length) % options.length];
    if (!next) return;
    onChange(next[0]);
    const buttons = (event.currentTarget as HTMLElement).querySelectorAll("button");
    buttons[options.indexOf(next)]?.focus();
  };
  return (
    <div class="segmented" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map(([each, text]) => (
        <button
          key={each}
          type="button"
          role="radio"
          aria-checked={each === value}
          tabIndex={each === value ? 0 : -1}
          onClick={() => onChange(each)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** Copies a text, and says so. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" class="quiet" onClick={() => void copy(text).then(() => setDone(true))}>
      {done ? "Copied" : label}
    </button>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages without TLS have no clipboard: an old way is left.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** A dialog over the page. Escape closes it, and the focus goes back to where it was. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === element.current && element.current?.close()}
    >
      <div class="dialog">
        <header>
          <h2>{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={() => element.current?.close()}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** What is shown where there is nothing. */
export const Nothing = ({ children }: { children: ComponentChildren }) => <p class="nothing">{children}</p>;
