/** What happens now: calls as they are stored, and those in flight. One stream a page; it reconnects by itself. */

import type { LiveCall, Running } from "./api/types";

interface Handlers {
  calls?: (calls: LiveCall[]) => void;
  running?: (calls: Running[]) => void;
  refetch?: () => void;
}

export type LiveState = "off" | "connecting" | "on" | "lost";

export class Live {
  state = $state<LiveState>("off");
  #source: EventSource | null = null;

  /** For `$effect`: returns the undoing. */
  open(session: string | null, handlers: Handlers): () => void {
    this.close();
    this.state = "connecting";
    const source = new EventSource(session === null ? "/v1/live" : `/v1/live?session=${encodeURIComponent(session)}`);
    this.#source = source;
    let opened = false;
    source.onopen = () => {
      if (opened) handlers.refetch?.();
      opened = true;
      this.state = "on";
    };
    source.onerror = () => {
      this.state = source.readyState === EventSource.CLOSED ? "off" : "lost";
    };
    const hear = <T>(name: string, take: (data: T) => void): void => {
      source.addEventListener(name, (event) => {
        try {
          take(JSON.parse((event as MessageEvent<string>).data) as T);
        } catch (error) {
          console.warn(`live: ${name}`, error);
        }
      });
    };
    hear<{ calls: LiveCall[] }>("calls", (data) => handlers.calls?.(data.calls));
    hear<{ calls: Running[] }>("running", (data) => handlers.running?.(data.calls));
    hear("refetch", () => handlers.refetch?.());
    hear<{ reason: string }>("end", (data) => {
      if (data.reason === "signed_out") this.close();
    });
    return () => {
      if (this.#source === source) this.close();
      else source.close();
    };
  }

  close(): void {
    this.#source?.close();
    this.#source = null;
    this.state = "off";
  }
}
