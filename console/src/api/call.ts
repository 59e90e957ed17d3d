/** Calls RPCs by JSON over HTTP, in the form of Connect. Keeps the api-key; knows no page. */

const SESSION_KEY = "headwater.api-key";
const DEFAULT_SECONDS = 60;

/** A value of a request that breaks a rule, and the rule. */
export interface Violation {
  field: string;
  description: string;
}

/** Why a call failed. `code` is Connect's, `reason` is the engine's, such as SPACE_NOT_FOUND. */
export class CallError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly reason = "",
    readonly violations: Violation[] = [],
    readonly metadata: Record<string, string> = {},
  ) {
    super(message);
  }
}

let apiKey = readSession();
const listeners = new Set<() => void>();

/** The api-key that calls send; empty when there is none. */
export const currentKey = (): string => apiKey;

/** Whether the key outlives a reload of this tab. */
export const keyIsRemembered = (): boolean => readSession() !== "";

/** Sets the key: in memory, or also for reloads of this tab. It never reaches a disk by this page. */
export function setKey(key: string, remember: boolean): void {
  apiKey = key.trim();
  try {
    if (remember && apiKey) sessionStorage.setItem(SESSION_KEY, apiKey);
    else sessionStorage.removeItem(SESSION_KEY);
  } catch {
    // A browser without storage keeps the key in memory.
  }
  for (const listener of listeners) listener();
}

/** Calls `listener` whenever the key changes. Returns what ends that. */
export function onKeyChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  seconds?: number;
}

/** The reply of `method`, such as `Points/Query`. Throws CallError, and the DOM's AbortError. */
export async function call<Reply>(method: string, request: object, options: CallOptions = {}): Promise<Reply> {
  const response = await send(`/headwater.v1.${method}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "connect-protocol-version": "1",
      "connect-timeout-ms": String(Math.round((options.seconds ?? DEFAULT_SECONDS) * 1000)),
      ...authorization(),
    },
    body: JSON.stringify(request),
    signal: options.signal ?? null,
  });
  return (await response.json()) as Reply;
}

/** The text of a page of the server, such as `/metrics`. Throws CallError. */
export async function page(path: string, signal?: AbortSignal): Promise<string> {
  const response = await send(path, { headers: authorization(), signal: signal ?? null });
  return response.text();
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new CallError("unavailable", "The server does not answer. Is it running?");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

const authorization = (): Record<string, string> => (apiKey ? { "api-key": apiKey } : {});

interface ErrorBody {
  code?: string;
  message?: string;
  details?: { type?: string; debug?: Record<string, unknown> }[];
}

/** The error that a response tells. */
async function errorOf(response: Response): Promise<CallError> {
  const text = await response.text().catch(() => "");
  let body: ErrorBody;
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    return new CallError("unknown", `HTTP ${response.status}: ${text.slice(0, 500) || response.statusText}`);
  }
  const debug = (type: string) => body.details?.find((detail) => detail.type === type)?.debug ?? {};
  const info = debug("google.rpc.ErrorInfo");
  const violations = debug("google.rpc.BadRequest")["fieldViolations"] as Violation[] | undefined;
  return new CallError(
    body.code ?? "unknown",
    body.message ?? `HTTP ${response.status}`,
    (info["reason"] as string | undefined) ?? "",
    violations ?? [],
    (info["metadata"] as Record<string, string> | undefined) ?? {},
  );
}

function readSession(): string {
  try {
    return sessionStorage.getItem(SESSION_KEY) ?? "";
  } catch {
    return "";
  }
}
