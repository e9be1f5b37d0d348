/** Calls of the gateway's API. Every answer is unwrapped; every failure is a `Fault` with a sentence a person can use. */

import { readJson } from "../json";

export class Fault extends Error {
  constructor(
    /** 0: the gateway could not be reached. */
    readonly status: number,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** What to do about it. */
  get advice(): string {
    switch (this.status) {
      case 0:
        return "Check that the gateway is running and that this browser can reach it, then try again.";
      case 400:
        return "Change the filter or the time range and try again.";
      case 401:
        return "Sign in again.";
      case 403:
        return "Ask for a key with this right, or sign in with another one.";
      case 404:
        return "It may have been deleted, or it belongs to another organisation.";
      case 413:
        return "Ask for less at once.";
      case 429:
        return this.retryAfter ? `Wait ${this.retryAfter} s and try again.` : "Wait a little and try again.";
      case 503:
        return "The database or the journal is not available. Calls go on being recorded; try again in a moment.";
      default:
        return "The gateway's log says more.";
    }
  }
}

type Listener = () => void;
let onSignedOut: Listener = () => {};

export function whenSignedOut(listener: Listener): void {
  onSignedOut = listener;
}

async function ask(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      signal: signal ?? null,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Fault(0, "The gateway did not answer.");
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  const retry = Number(response.headers.get("Retry-After"));
  const fault = new Fault(response.status, sentence(text) || `The gateway answered ${response.status}.`, Number.isFinite(retry) && retry > 0 ? retry : null);
  if (response.status === 401 && path !== "/v1/login") onSignedOut();
  throw fault;
}

function sentence(text: string): string {
  try {
    const error: unknown = (JSON.parse(text) as { error?: unknown }).error;
    if (typeof error === "string") return error;
    const message = (error as { message?: unknown } | null)?.message;
    return typeof message === "string" ? message : "";
  } catch {
    return text.length < 200 && !text.includes("<") ? text : "";
  }
}

async function json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await ask(method, path, body, signal);
  return ((await response.json()) as { data: T }).data;
}

/** The same for what others wrote: its numbers keep their digits. */
export async function getExact<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask("GET", path, undefined, signal);
  return (readJson(await response.text()) as { data: T }).data;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => json("GET", path, undefined, signal);
export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> => json("POST", path, body, signal);
export const put = <T>(path: string, body: unknown): Promise<T> => json("PUT", path, body);
export const del = <T>(path: string): Promise<T> => json("DELETE", path);

/** A page of rows with the cursor of the next. */
export interface Page<T> {
  rows: T[];
  next: string | null;
}

export async function page<T>(path: string, body: unknown, signal?: AbortSignal): Promise<Page<T>> {
  const response = await ask("POST", path, body, signal);
  const answer = (await response.json()) as { data: T[]; next_cursor?: string | null };
  return { rows: answer.data, next: answer.next_cursor ?? null };
}

/** An answer that is not in the wrapper. */
export async function plain<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await ask(method, path, body)).json()) as T;
}

export async function text(path: string, signal?: AbortSignal): Promise<string> {
  return (await ask("GET", path, undefined, signal)).text();
}

/** The raw answer, for streams. */
export const raw = (path: string, signal?: AbortSignal): Promise<Response> => ask("GET", path, undefined, signal);
