/** Numbers, money, durations and instants as text. Unknown is a dash, never a zero. */

import type { ToolNode } from "./api/types";

export const NONE = "–";

const whole = new Intl.NumberFormat("en-US");

export function count(n: number | null | undefined): string {
  return n == null ? NONE : whole.format(n);
}

/** 1234567 → 1.23M; exact below ten thousand. */
export function compact(n: number | null | undefined): string {
  if (n == null) return NONE;
  const size = Math.abs(n);
  if (size < 10_000) return whole.format(Math.round(n));
  if (size < 1e6) return `${trim(n / 1e3, size < 1e5 ? 1 : 0)}k`;
  if (size < 1e9) return `${trim(n / 1e6, size < 1e7 ? 2 : 1)}M`;
  return `${trim(n / 1e9, 2)}B`;
}

function trim(n: number, digits: number): string {
  return n.toFixed(digits).replace(/\.0+$|(\.\d*?)0+$/, "$1");
}

/** Dollars with as many digits as say something. */
export function money(usd: number | null | undefined): string {
  if (usd == null) return NONE;
  const size = Math.abs(usd);
  if (size === 0) return "$0";
  if (size >= 1000) return `$${whole.format(Math.round(usd))}`;
  if (size >= 1) return `$${usd.toFixed(2)}`;
  if (size >= 0.01) return `$${usd.toFixed(3)}`;
  if (size >= 0.0001) return `$${usd.toFixed(5)}`;
  return usd > 0 ? "<$0.0001" : ">-$0.0001";
}

/** What calls cost together: a dash where none of them has a known price. */
export function spent(usd: number | null | undefined, unpriced: number): string {
  return unpriced > 0 && !usd ? NONE : money(usd);
}

/** All that is known of an amount. */
export function moneyExact(usd: number | null | undefined): string {
  if (usd == null) return NONE;
  return `$${Math.abs(usd) < 0.01 ? usd.toFixed(9).replace(/0+$/, "").replace(/\.$/, "") : usd.toFixed(4)}`;
}

export function duration(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return NONE;
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1) return ms === 0 ? "0 ms" : "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(2)} s`;
  if (s < 60) return `${s.toFixed(1)} s`;
  const total = Math.round(s);
  const [d, h, m] = [Math.floor(total / 86400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} m`;
  return `${m} m ${total % 60} s`;
}

export function percent(part: number, of: number): string {
  if (!of) return NONE;
  const p = (100 * part) / of;
  if (p === 0) return "0 %";
  return p < 0.1 ? "<0.1 %" : `${p < 10 ? p.toFixed(1) : Math.round(p)} %`;
}

export function bytes(n: number | null | undefined): string {
  if (n == null) return NONE;
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${trim(n / 1e3, 1)} kB`;
  if (n < 1e9) return `${trim(n / 1e6, 1)} MB`;
  return `${trim(n / 1e9, 2)} GB`;
}

/** Any of the API's instants (`2026-01-01T…Z` or `2026-01-01 00:00:00.000`, UTC) in milliseconds. */
export function instant(text: string): number {
  return Date.parse(text.includes("T") ? text : `${text.replace(" ", "T")}Z`);
}

const date = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const dateYear = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const clockExact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });

/** `14:03` today, `Mar 4 14:03` this year. */
export function when(ms: number, now: number = Date.now()): string {
  if (!Number.isFinite(ms)) return NONE;
  const [then, today] = [new Date(ms), new Date(now)];
  if (then.toDateString() === today.toDateString()) return clock.format(ms);
  return then.getFullYear() === today.getFullYear() ? `${date.format(ms)} ${clock.format(ms)}` : dateYear.format(ms);
}

export function exact(ms: number): string {
  return Number.isFinite(ms) ? `${dateYear.format(ms)} ${clockExact.format(ms)}` : NONE;
}

export function ago(ms: number, now: number): string {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 5) return "now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} m ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** The model's or event's name without its kind in front. */
export function modelName(model: string | null | undefined): string {
  return model == null ? "" : model.replace(/^(tool|data):/, "");
}

/** Control characters and direction overrides made visible, so that a name cannot rewrite its surroundings. */
export function plainText(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** How long a tool took that an answer asked for; `≤`: no longer than that. */
export function toolTime(tool: ToolNode): string {
  if (tool.duration_ms !== null) return `${tool.duration_source === "gap" ? "≤ " : ""}${duration(tool.duration_ms)}`;
  return tool.wait_ms === null ? NONE : `waited ${duration(tool.wait_ms)}`;
}
