/**
 * What steps say, fetched when they come into view: a few at a time, the newest wish first, kept while there is room.
 * Bodies are parsed once; a body past the limit waits until a person asks for it.
 */

import { getExact } from "./api/client";
import type { RequestRow } from "./api/types";
import { read, sharedPrefix, type Message, type Reading } from "./messages";
import type { Step, Trail } from "./trail";

/** Bodies larger than that are not fetched for a glance. */
export const GLANCE_BYTES = 400_000;
/** Larger ones wait until a person asks for them. */
const AT_ONCE_BYTES = 2_000_000;
const WIDE = 4;
const KEPT = 160;
/** Kept bodies together, roughly. */
const KEPT_BYTES = 60_000_000;

export interface Body {
  row: RequestRow;
  reading: Reading;
}

interface Entry {
  promise: Promise<Body>;
  body: Body | null;
  bytes: number;
}

class Bodies {
  #kept = new Map<string, Entry>();
  #waiting: { id: string; start: () => void }[] = [];
  #under = 0;
  #bytes = 0;

  /** Without asking. */
  peek(id: string): Body | null {
    return this.#kept.get(id)?.body ?? null;
  }

  /** `whole`: however large it is, and even if a smaller answer is known. */
  ask(id: string, whole = false): Promise<Body> {
    const known = this.#kept.get(id);
    if (known && !(whole && known.body?.row.body_url !== undefined)) {
      this.#kept.delete(id);
      this.#kept.set(id, known);
      return known.promise;
    }
    let start = (): void => {};
    const begun = new Promise<void>((resolve) => (start = resolve));
    const entry: Entry = { promise: begun.then(() => this.#fetch(id, whole)), body: null, bytes: 0 };
    entry.promise.catch(() => {});
    this.#kept.set(id, entry);
    this.#waiting.push({ id, start });
    this.#next();
    return entry.promise;
  }

  async #fetch(id: string, whole: boolean): Promise<Body> {
    try {
      const row = await getExact<RequestRow>(`/v1/request/${encodeURIComponent(id)}?includeBody=true${whole ? "" : `&max_bytes=${AT_ONCE_BYTES}`}`);
      // Past the limit stand placeholders, which say nothing.
      const body = { row, reading: row.body_url === undefined ? read(row.request_body, row.response_body) : read(null, null) };
      const entry = this.#kept.get(id);
      if (entry) {
        entry.body = body;
        entry.bytes = row.request_bytes + row.response_bytes;
        this.#bytes += entry.bytes;
        this.#trim();
      }
      return body;
    } catch (error) {
      this.#kept.delete(id);
      throw error;
    } finally {
      this.#under--;
      this.#next();
    }
  }

  /** Forgets wishes that nobody waits for any more. */
  drop(id: string): void {
    const at = this.#waiting.findIndex((one) => one.id === id);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      this.#kept.delete(id);
    }
  }

  #next(): void {
    while (this.#under < WIDE && this.#waiting.length) {
      this.#under++;
      this.#waiting.pop()!.start();
    }
  }

  #trim(): void {
    for (const [id, entry] of this.#kept) {
      if (this.#kept.size <= KEPT && this.#bytes <= KEPT_BYTES) break;
      if (!entry.body) continue;
      this.#kept.delete(id);
      this.#bytes -= entry.bytes;
    }
  }
}

export const bodies = new Bodies();

/** A step's messages, parted at what was said before. */
export interface Digest {
  /** Messages that earlier steps sent already. */
  history: Message[];
  fresh: Message[];
  answer: Message[];
  /** Number of the step that this one goes on from, if one was found. */
  after: number | null;
}

/** The steps whose request may be the beginning of this one's: the last of the same lane, the last of all. */
function candidates(trail: Trail, step: Step): Step[] {
  const found: Step[] = [];
  let same = false;
  for (let n = step.n - 1; n >= 0 && n > step.n - 200 && !same; n--) {
    const before = trail.steps[n]!;
    if (before.kind !== "llm" || before.running) continue;
    if (found.length === 0) found.push(before);
    if (before.lane === step.lane) {
      same = true;
      if (found[0] !== before) found.push(before);
    }
  }
  return found.filter((before) => (before.call.request_bytes ?? 0) <= GLANCE_BYTES);
}

export async function digest(trail: Trail, step: Step): Promise<Digest & { body: Body }> {
  const body = await bodies.ask(step.id);
  const { messages, answer } = body.reading;
  let best = 0;
  let after: number | null = null;
  if (step.kind === "llm" && messages.length > 1) {
    for (const before of candidates(trail, step)) {
      const earlier = await bodies.ask(before.id).catch(() => null);
      if (!earlier) continue;
      const all = [...earlier.reading.messages, ...earlier.reading.answer];
      let shared = sharedPrefix(earlier.reading.messages, messages);
      // An answer comes back as a message: told already, though often not in the same bytes.
      if (shared === earlier.reading.messages.length && shared > 0) {
        for (let n = shared; n < all.length && n < messages.length && messages[n]!.role === "assistant"; n++) shared = n + 1;
      }
      if (shared > best) {
        best = shared;
        after = before.n;
      }
    }
  }
  return { body, history: messages.slice(0, best), fresh: messages.slice(best), answer, after };
}
