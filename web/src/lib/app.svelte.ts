/** What the whole dashboard knows: who is signed in, what was just said to the person, which sheet is open. */

import { get, post, Fault } from "./api/client";
import type { Me } from "./api/types";

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

class App {
  me = $state.raw<Me | null>(null);
  /** Why there is no `me`: not asked yet, not signed in, or a fault. */
  standing = $state<"asking" | "in" | "out" | "fault">("asking");
  fault = $state.raw<Fault | null>(null);
  toasts = $state.raw<Toast[]>([]);
  sheet = $state<"" | "keys">("");
  #next = 0;

  async load(): Promise<void> {
    try {
      this.enter(await get<Me>("/v1/me"));
    } catch (error) {
      if (error instanceof Fault && error.status === 401) this.standing = "out";
      else {
        this.fault = error instanceof Fault ? error : new Fault(-1, String(error));
        this.standing = "fault";
      }
    }
  }

  enter(me: Me): void {
    this.me = me;
    this.fault = null;
    this.standing = "in";
  }

  async leave(): Promise<void> {
    await post("/v1/logout", {});
    this.me = null;
    this.standing = "out";
  }

  say(text: string, bad = false): void {
    const id = ++this.#next;
    // Said again, it takes the place of what was said.
    this.toasts = [...this.toasts.filter((toast) => toast.text !== text).slice(-3), { id, text, bad }];
    setTimeout(() => this.unsay(id), bad ? 9000 : 3500);
  }

  unsay(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  async copy(text: string, what: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without a secure origin there is no clipboard; a selection that is copied does the same.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "sr";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) {
        this.say(`${what} could not be copied: the browser refused.`, true);
        return;
      }
    }
    this.say(`${what} copied`);
  }
}

export const app = new App();
