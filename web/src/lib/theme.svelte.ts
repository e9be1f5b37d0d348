/** Light, dark, or as the system says. Canvas drawings read the resolved colours here. */

export type Choice = "system" | "light" | "dark";

const STORE = "trailgate.theme";

class Theme {
  choice = $state<Choice>("system");
  #system = $state(matchMedia("(prefers-color-scheme: dark)").matches);
  #probe: HTMLElement | null = null;

  constructor() {
    const saved = localStorage.getItem(STORE);
    this.set(saved === "light" || saved === "dark" ? saved : "system");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => (this.#system = event.matches));
  }

  get dark(): boolean {
    return this.choice === "system" ? this.#system : this.choice === "dark";
  }

  set(choice: Choice): void {
    this.choice = choice;
    if (choice === "system") {
      localStorage.removeItem(STORE);
      delete document.documentElement.dataset["theme"];
    } else {
      localStorage.setItem(STORE, choice);
      document.documentElement.dataset["theme"] = choice;
    }
  }

  toggle(): void {
    this.set(this.dark ? "light" : "dark");
  }

  /** What a token of the theme file is now, for canvases. Depends on the theme, so effects run again when it changes. */
  colors<K extends string>(...names: K[]): Record<K, string> {
    void this.dark;
    if (!this.#probe) {
      this.#probe = document.createElement("i");
      this.#probe.hidden = true;
      document.body.append(this.#probe);
    }
    const found = {} as Record<K, string>;
    for (const name of names) {
      this.#probe.style.color = `var(--${name})`;
      found[name] = getComputedStyle(this.#probe).color;
    }
    return found;
  }
}

export const theme = new Theme();
