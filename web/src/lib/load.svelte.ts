/** Something that is being fetched: what there is, what went wrong, whether it is under way. Old data stays while new comes. */

import { Fault } from "./api/client";

export class Load<T> {
  data = $state.raw<T | undefined>(undefined);
  fault = $state.raw<Fault | null>(null);
  busy = $state(false);
  #abort: AbortController | null = null;

  /** Starts anew and forgets the fetch before. For `$effect`: returns the undoing. */
  run(fetcher: (signal: AbortSignal) => Promise<T>): () => void {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.busy = true;
    fetcher(abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        this.data = data;
        this.fault = null;
        this.busy = false;
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        this.fault = error instanceof Fault ? error : new Fault(-1, String((error as Error | null)?.message ?? error));
        this.busy = false;
      },
    );
    return () => abort.abort();
  }

  reset(): void {
    this.#abort?.abort();
    this.data = undefined;
    this.fault = null;
    this.busy = false;
  }
}

/** Until what was set before is on the screen; in a tab that is not shown, a moment. */
export function drawn(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 250);
    requestAnimationFrame(() => setTimeout(() => {
      clearTimeout(timer);
      resolve();
    }));
  });
}
