/** The one time range that all pages look at. In the address as `t`: a preset (`24h`) or `from~to` in seconds. */

import { router } from "./router.svelte";

export interface Preset {
  id: string;
  label: string;
  ms: number;
}

const HOUR = 3_600_000;

export const PRESETS: readonly Preset[] = [
  { id: "15m", label: "Last 15 minutes", ms: HOUR / 4 },
  { id: "1h", label: "Last hour", ms: HOUR },
  { id: "6h", label: "Last 6 hours", ms: 6 * HOUR },
  { id: "24h", label: "Last 24 hours", ms: 24 * HOUR },
  { id: "7d", label: "Last 7 days", ms: 168 * HOUR },
  { id: "30d", label: "Last 30 days", ms: 720 * HOUR },
  { id: "90d", label: "Last 90 days", ms: 2160 * HOUR },
];

export const DEFAULT_RANGE = "7d";

export interface Range {
  from: number;
  to: number;
  /** Whether its end is now. */
  moving: boolean;
  label: string;
}

class Clock {
  /** Moves when a moving range should be asked for anew; every load depends on it. */
  tick = $state(Date.now());

  renew(): void {
    this.tick = Date.now();
  }
}

export const clock = new Clock();

export function readRange(text: string, now: number): Range {
  const custom = /^(\d{9,11})~(\d{9,11})$/.exec(text);
  if (custom) {
    const [from, to] = [Number(custom[1]) * 1000, Number(custom[2]) * 1000];
    if (from < to) return { from, to, moving: false, label: `${stamp(from)} – ${stamp(to)}` };
  }
  const preset = PRESETS.find((p) => p.id === text) ?? PRESETS.find((p) => p.id === DEFAULT_RANGE)!;
  return { from: now - preset.ms, to: now, moving: true, label: preset.label };
}

const short = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function stamp(at: number): string {
  return short.format(at);
}

class Looked {
  #text = $derived(router.get("t"));
  /** The same object until the range changes: other changes of the address cause no new question. */
  range: Range = $derived(readRange(this.#text, clock.tick));
}

const looked = new Looked();

/** The range in force. */
export function range(): Range {
  return looked.range;
}

export function setRange(from: number, to: number): void {
  router.set({ t: `${Math.floor(from / 1000)}~${Math.ceil(to / 1000)}` }, true);
}

export function setPreset(id: string): void {
  clock.renew();
  router.set({ t: id === DEFAULT_RANGE ? null : id }, true);
}
