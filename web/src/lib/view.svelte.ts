/**
 * What the session page looks at: lens, selection, window, conditions. All of it stands in the address; the four lenses
 * and the minimap read it here and nowhere else.
 */

import type { Kind, Light, Running, ToolNode } from "./api/types";
import { router } from "./router.svelte";
import { build, Scale, toolSteps, type Step, type Trail } from "./trail";

export type Lens = "transcript" | "tree" | "timeline" | "graph";
export const LENSES: Lens[] = ["transcript", "tree", "timeline", "graph"];
export type Heat = "" | "cost" | "time" | "tokens" | "cached";

export class View {
  calls = $state.raw<readonly Light[]>([]);
  running = $state.raw<readonly Running[]>([]);
  /** Tool calls that answers ask for. */
  tools = $state.raw<readonly ToolNode[]>([]);
  now = $state(Date.now());
  /** Steps that the words looked for are in: id → how often; null while nothing is looked for. */
  hits = $state.raw<Map<string, number> | null>(null);
  /** First and last time that the list shows now. */
  inView = $state.raw<[number, number] | null>(null);
  closed = $state.raw<ReadonlySet<string>>(new Set());

  trail: Trail = $derived(build(this.calls, this.running, this.now));

  lens: Lens = $derived(LENSES.find((lens) => lens === router.get("v")) ?? "transcript");
  selectedId = $derived(router.get("s"));
  selected: Step | null = $derived(this.trail.byId.get(this.selectedId) ?? null);
  window: [number, number] | null = $derived.by(() => {
    const match = /^(\d+)-(\d+)$/.exec(router.get("w"));
    const [from, to] = [Number(match?.[1]), Number(match?.[2])];
    return match && from < to ? [from, to] : null;
  });
  kinds = $derived(router.get("kind"));
  onlyErrors = $derived(router.get("only") === "errors");
  lane = $derived(router.get("lane"));
  name = $derived(router.get("name"));
  heat: Heat = $derived((["cost", "time", "tokens", "cached"] as const).find((h) => h === router.get("heat")) ?? "");
  folded = $derived(router.get("fold") === "1");
  critical = $derived(router.get("crit") === "1");

  #meets = $derived.by((): ((step: Step) => boolean) | null => {
    const { trail, window, kinds, onlyErrors, lane, name, hits } = this;
    if (!window && !kinds && !onlyErrors && !lane && !name && !hits) return null;
    const wanted = kinds ? new Set(kinds.split(",")) : null;
    return (step) =>
      (!window || (step.to >= window[0] && step.from <= window[1])) &&
      (!wanted || wanted.has(step.kind)) &&
      (!onlyErrors || step.failed) &&
      (!lane || trail.lanes[step.lane] === lane) &&
      (!name || step.name === name) &&
      (!hits || hits.has(step.id));
  });
  /** The steps that meet all conditions, in order. */
  shown: Step[] = $derived(this.#meets ? this.trail.steps.filter(this.#meets) : this.trail.steps);
  /** The same with the tool calls that only answers tell of: what tree and timeline show. */
  listed: Step[] = $derived.by(() => {
    if (this.tools.length === 0) return this.shown;
    const tools = toolSteps(this.trail, this.tools);
    const added = this.#meets ? tools.filter(this.#meets) : tools;
    return added.length ? [...this.shown, ...added].sort((a, b) => a.from - b.from || a.n - b.n) : this.shown;
  });
  filtered = $derived(this.shown.length !== this.trail.steps.length);

  scale: Scale = $derived.by(() => {
    const [from, to] = this.window ?? [0, Math.max(1, this.trail.span)];
    return new Scale(from, to, this.folded ? this.trail.gaps : []);
  });
  wholeScale: Scale = $derived(new Scale(0, Math.max(1, this.trail.span), this.folded ? this.trail.gaps : []));

  kindCounts = $derived.by(() => {
    const counts = new Map<Kind, number>();
    for (const step of this.trail.steps) counts.set(step.kind, (counts.get(step.kind) ?? 0) + 1);
    return counts;
  });

  #most = $derived.by(() => {
    let most = 0;
    if (this.heat) for (const step of this.trail.steps) most = Math.max(most, this.measure(step));
    return most;
  });
  get hottest(): number {
    return this.#most;
  }

  measure(step: Step): number {
    switch (this.heat) {
      case "cost":
        return step.call.cost ?? 0;
      case "time":
        return step.to - step.from;
      case "tokens":
        return step.call.total_tokens ?? 0;
      case "cached":
        return step.call.input_tokens ? (step.call.prompt_cache_read_tokens ?? 0) / step.call.input_tokens : 0;
      default:
        return 0;
    }
  }

  /** Between 0 and 1. */
  warmth(step: Step): number {
    return this.#most > 0 ? this.measure(step) / this.#most : 0;
  }

  select(id: string | null): void {
    router.set({ s: id });
  }

  setWindow(window: [number, number] | null): void {
    router.set({ w: window ? `${Math.max(0, Math.floor(window[0]))}-${Math.ceil(window[1])}` : null });
  }

  /** Next or previous step among `of`, seen from the selection. */
  step(by: 1 | -1, of: readonly Step[]): Step | null {
    const here = this.selected;
    if (!here) return by > 0 ? (of[0] ?? null) : (of.at(-1) ?? null);
    if (by > 0) return of.find((step) => step.n > here.n) ?? null;
    for (let i = of.length - 1; i >= 0; i--) if (of[i]!.n < here.n) return of[i]!;
    return null;
  }

  toggleKind(kind: Kind): void {
    const all = [...this.kindCounts.keys()];
    const now = new Set(this.kinds ? this.kinds.split(",") : all);
    if (!this.kinds) {
      now.clear();
      now.add(kind);
    } else if (now.has(kind)) now.delete(kind);
    else now.add(kind);
    router.set({ kind: now.size === 0 || now.size === all.length ? null : [...now].join(",") });
  }

  clear(): void {
    router.set({ w: null, kind: null, only: null, lane: null, name: null, find: null });
  }
}
