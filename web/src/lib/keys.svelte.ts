/**
 * Keys. A page binds its own while it is shown; the newest binding of a key wins; `?` lists what is bound now.
 * Nothing is bound while a person types, nor under a dialog that is open.
 */

export interface Binding {
  /** `j`, `Shift+N`, `g h` (one after the other), `Escape`, `ArrowDown`. */
  keys: string[];
  label: string;
  group: string;
  run: (event: KeyboardEvent) => void;
  /** It moves within the page's list, so the list takes the focus: Enter then means the row, not the button before. */
  moves?: boolean;
}

const SEQUENCE_MS = 1500;

class Keys {
  #bindings = $state.raw<Binding[]>([]);
  #pending = "";
  #since = 0;

  constructor() {
    addEventListener("keydown", (event) => this.#press(event));
  }

  get all(): readonly Binding[] {
    return this.#bindings;
  }

  /** For `$effect(() => keys.bind([...]))`: returns the undoing. */
  bind(bindings: Binding[]): () => void {
    const mine = new Set(bindings);
    queueMicrotask(() => (this.#bindings = [...this.#bindings, ...bindings.filter((b) => mine.has(b))]));
    return () => {
      mine.clear();
      const gone = new Set(bindings);
      queueMicrotask(() => (this.#bindings = this.#bindings.filter((b) => !gone.has(b))));
    };
  }

  #press(event: KeyboardEvent): void {
    if (document.querySelector("dialog:modal") || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement | null;
    const typing = !!target?.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    const key = event.key.length === 1 ? event.key : (event.shiftKey ? "Shift+" : "") + event.key;
    const now = performance.now();
    const sequence = this.#pending && now - this.#since < SEQUENCE_MS ? `${this.#pending} ${key}` : "";
    this.#pending = "";
    // A focused button or link keeps what Enter and Space mean for it.
    if ((key === "Enter" || key === " ") && target?.closest("button, a, summary, [role=button]")) return;
    for (let i = this.#bindings.length - 1; i >= 0; i--) {
      const binding = this.#bindings[i]!;
      if (typing) break;
      if (binding.keys.includes(sequence) || (!sequence && binding.keys.includes(key))) {
        event.preventDefault();
        if (binding.moves) document.querySelector<HTMLElement>("[data-list]")?.focus({ preventScroll: true });
        binding.run(event);
        return;
      }
    }
    if (!typing && this.#bindings.some((b) => b.keys.some((k) => k.startsWith(`${key} `)))) {
      this.#pending = key;
      this.#since = now;
    }
  }
}

export const keys = new Keys();
