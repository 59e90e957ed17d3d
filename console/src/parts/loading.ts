/** Asking the server: once, again when something changes, or every few seconds while the page is seen. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { onKeyChange } from "../api/call";

export interface Loaded<Value> {
  value: Value | undefined;
  error: unknown;
  loading: boolean;
  reload: () => void;
}

/** What `load` answers. It is asked again when `keys` or the api-key change, and every `seconds` if these are given. */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  keys: readonly unknown[],
  seconds?: number,
): Loaded<Value> {
  const [state, setState] = useState<Omit<Loaded<Value>, "reload">>({ value: undefined, error: undefined, loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => onKeyChange(reload), []);
  useEffect(() => setState({ value: undefined, error: undefined, loading: true }), keys);
  useEffect(() => {
    const aborter = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      if (seconds !== undefined && !aborter.signal.aborted) timer = setTimeout(ask, seconds * 1000);
    };
    const ask = async () => {
      if (document.hidden && seconds !== undefined) return again();
      setState((before) => ({ ...before, loading: true }));
      try {
        const value = await latest.current(aborter.signal);
        if (!aborter.signal.aborted) setState({ value, error: undefined, loading: false });
      } catch (error) {
        if (!aborter.signal.aborted) setState((before) => ({ ...before, error, loading: false }));
      }
      again();
    };
    void ask();
    return () => {
      aborter.abort();
      clearTimeout(timer);
    };
  }, [...keys, round, seconds]);
  return { ...state, reload };
}

/** An action that a button starts: whether it runs, and how it failed. A new start ends the one before. */
export function useAction<Arguments extends unknown[]>(
  act: (signal: AbortSignal, ...given: Arguments) => Promise<void>,
): { run: (...given: Arguments) => void; stop: () => void; running: boolean; error: unknown; clear: () => void } {
  const [state, setState] = useState<{ running: boolean; error: unknown }>({ running: false, error: undefined });
  const current = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  const stop = () => {
    current.current?.abort();
    setState({ running: false, error: undefined });
  };
  const run = (...given: Arguments) => {
    current.current?.abort();
    const aborter = new AbortController();
    current.current = aborter;
    setState({ running: true, error: undefined });
    act(aborter.signal, ...given).then(
      () => aborter.signal.aborted || setState({ running: false, error: undefined }),
      (error: unknown) => aborter.signal.aborted || setState({ running: false, error }),
    );
  };
  return { run, stop, ...state, clear: () => setState({ running: false, error: undefined }) };
}
