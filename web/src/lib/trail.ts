/**
 * A session as its page needs it: steps in order of start, lanes, idle gaps, the critical path. Made from the light rows
 * alone, and made again when a row is added; ten thousand rows take a few milliseconds.
 */

import type { Kind, Light, Running, ToolNode } from "./api/types";
import { instant, modelName } from "./format";

export interface Step {
  id: string;
  /** Position in the session, from 0. */
  n: number;
  call: Light;
  kind: Kind;
  /** The tool's or model's name. */
  name: string;
  /** With a leading slash; `/` without one. */
  path: string;
  segments: string[];
  lane: number;
  /** Milliseconds from the session's start. */
  from: number;
  to: number;
  failed: boolean;
  /** Not ended yet. */
  running: boolean;
  /** How often the same tool was run in a row up to here; 0 of other kinds. */
  again: number;
  /** A tool call that only an answer tells of: no call of its own, it opens the call that asked for it. */
  tool?: ToolNode;
}

export interface Gap {
  from: number;
  to: number;
}

export interface Trail {
  steps: Step[];
  byId: Map<string, Step>;
  lanes: string[];
  start: number;
  /** Milliseconds from start to the latest end. */
  span: number;
  gaps: Gap[];
  errors: number[];
  /** Ids of the steps on the critical path. */
  critical: Set<string>;
  criticalMs: number;
}

/** Branches beyond these share one lane. */
const MOST_LANES = 9;
const OTHERS = "others";

export function segmentsOf(path: string | null): string[] {
  return (path ?? "").split("/").filter(Boolean);
}

export function laneName(call: Pick<Light, "agent" | "path">): string {
  return call.agent || segmentsOf(call.path)[0] || "/";
}

export function build(calls: readonly Light[], running: readonly Running[], now: number): Trail {
  const known = new Set(calls.map((call) => call.request_id));
  const rows: { call: Light; at: number; end: number; running: boolean }[] = calls.map((call) => {
    const at = instant(call.started_at);
    return { call, at, end: at + call.duration_ms, running: false };
  });
  for (const one of running) {
    if (!known.has(one.request_id)) rows.push({ call: lightOf(one), at: one.started_ms, end: Math.max(now, one.started_ms), running: true });
  }
  rows.sort((a, b) => a.at - b.at || a.end - b.end);
  const start = rows[0]?.at ?? now;

  const weight = new Map<string, number>();
  for (const row of rows) weight.set(laneName(row.call), (weight.get(laneName(row.call)) ?? 0) + 1);
  const names = [...weight.keys()];
  let kept = new Set(names);
  if (names.length > MOST_LANES) kept = new Set([...names].sort((a, b) => weight.get(b)! - weight.get(a)!).slice(0, MOST_LANES - 1));
  const lanes = names.filter((name) => kept.has(name));
  if (kept.size < names.length) lanes.push(OTHERS);
  const laneOf = new Map(names.map((name) => [name, kept.has(name) ? lanes.indexOf(name) : lanes.length - 1]));

  let run = 0;
  let before = "";
  const steps: Step[] = rows.map((row, n) => {
    const { call } = row;
    const name = modelName(call.model) || (call.kind === "vector_db" ? "vector db" : call.provider.toLowerCase() || "call");
    const segments = segmentsOf(call.path);
    const signature = call.kind === "tool" ? name : "";
    if (call.kind === "tool") {
      run = signature === before ? run + 1 : 1;
      before = signature;
    }
    return {
      id: call.request_id,
      n,
      call,
      kind: call.kind,
      name,
      path: `/${segments.join("/")}`,
      segments,
      lane: laneOf.get(laneName(call)) ?? 0,
      from: row.at - start,
      to: row.end - start,
      failed: call.error_rule !== null,
      running: row.running,
      again: call.kind === "tool" ? run : 0,
    };
  });
  const span = steps.reduce((most, step) => Math.max(most, step.to), 0);
  const critical = criticalPath(steps);
  return {
    steps,
    byId: new Map(steps.map((step) => [step.id, step])),
    lanes,
    start,
    span,
    gaps: idle(steps, span),
    errors: steps.filter((step) => step.failed).map((step) => step.n),
    critical: critical.ids,
    criticalMs: critical.ms,
  };
}

/** Tool calls that answers ask for and no log tells of, as steps behind the calls that asked. */
export function toolSteps(trail: Trail, tools: readonly ToolNode[]): Step[] {
  const steps: Step[] = [];
  for (const tool of tools) {
    const asked = trail.byId.get(tool.request_id);
    if (!asked || tool.log_request_id) continue;
    const from = instant(tool.started_at) - trail.start;
    const failed = tool.ok === false;
    steps.push({
      id: tool.node,
      n: asked.n + (tool.position + 1) / 1000,
      call: {
        ...nothing(tool.request_id),
        kind: "tool",
        path: tool.path,
        started_at: tool.started_at,
        ended_at: tool.started_at,
        duration_ms: tool.duration_ms ?? 0,
        outcome: "complete",
        error_rule: failed ? tool.ok_rule : null,
        error_message: failed ? tool.result_preview : null,
        model: tool.name,
      },
      kind: "tool",
      name: tool.name,
      path: asked.path,
      segments: asked.segments,
      lane: asked.lane,
      from,
      to: from + (tool.duration_ms ?? 0),
      failed,
      running: false,
      again: 0,
      tool,
    });
  }
  return steps;
}

/** The call that a step opens. */
export function opens(step: Step): string {
  return step.tool?.request_id ?? step.id;
}

function lightOf(one: Running): Light {
  return { ...nothing(one.request_id), path: one.path, started_at: new Date(one.started_ms).toISOString(), outcome: "running", provider: one.provider, model: one.model };
}

/** A call of which nothing is known. */
function nothing(id: string): Light {
  return {
    request_id: id,
    kind: "llm",
    path: null,
    started_at: "",
    ended_at: "",
    offset_ms: 0,
    duration_ms: 0,
    time_to_first_token: null,
    status: 0,
    outcome: "",
    error_rule: null,
    error_message: null,
    provider: "",
    model: null,
    streamed: false,
    finish_reason: null,
    tool_calls: 0,
    user_id: null,
    cost: null,
    prompt_tokens: null,
    completion_tokens: null,
    prompt_cache_read_tokens: null,
    prompt_cache_write_tokens: null,
    reasoning_tokens: null,
    input_tokens: null,
    output_tokens: null,
    total_tokens: null,
    source: "",
    request_bytes: 0,
    response_bytes: 0,
    agent: null,
    session_rule: null,
    messages: null,
    previous_call_id: null,
    new_from_message: null,
    system_changed: null,
    tools_changed: null,
  };
}

/** Times in which nothing ran, long enough to be worth folding: over 2 s and over 4 % of the whole. */
function idle(steps: Step[], span: number): Gap[] {
  const least = Math.max(2000, span * 0.04);
  const gaps: Gap[] = [];
  let end = 0;
  for (const step of steps) {
    if (step.from - end > least) gaps.push({ from: end, to: step.from });
    end = Math.max(end, step.to);
  }
  return gaps;
}

/** The chain that decided how long it took: from the last end back, each time to the call that ended last before the start. */
function criticalPath(steps: Step[]): { ids: Set<string>; ms: number } {
  const byEnd = [...steps].sort((a, b) => a.to - b.to);
  const ids = new Set<string>();
  let ms = 0;
  let at = byEnd.length - 1;
  while (at >= 0) {
    const step = byEnd[at]!;
    ids.add(step.id);
    ms += step.to - step.from;
    let [low, high] = [0, at];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byEnd[middle]!.to <= step.from + 0.5) low = middle + 1;
      else high = middle;
    }
    at = low - 1;
  }
  return { ids, ms };
}

/** Times of the session to places between 0 and 1; gaps are a fixed sliver each where they are folded. */
export class Scale {
  readonly #knots: { t: number; x: number }[] = [];

  constructor(
    readonly from: number,
    readonly to: number,
    gaps: readonly Gap[] = [],
  ) {
    const inside = gaps.filter((gap) => gap.from >= from && gap.to <= to);
    const folded = inside.reduce((sum, gap) => sum + gap.to - gap.from, 0);
    const sliver = inside.length ? Math.min(0.035, 0.3 / inside.length) : 0;
    const live = Math.max(1e-6, to - from - folded);
    const perMs = (1 - sliver * inside.length) / live;
    let [t, x] = [from, 0];
    this.#knots.push({ t, x });
    for (const gap of inside) {
      x += (gap.from - t) * perMs;
      this.#knots.push({ t: gap.from, x });
      x += sliver;
      t = gap.to;
      this.#knots.push({ t, x });
    }
    this.#knots.push({ t: to, x: 1 });
  }

  /** Below 0 and above 1 outside. */
  x(t: number): number {
    const knots = this.#knots;
    let [low, high] = [0, knots.length - 2];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (knots[middle]!.t <= t) low = middle;
      else high = middle - 1;
    }
    const [a, b] = [knots[low]!, knots[low + 1]!];
    return b.t === a.t ? a.x : a.x + ((t - a.t) * (b.x - a.x)) / (b.t - a.t);
  }

  t(x: number): number {
    const knots = this.#knots;
    let at = 0;
    while (at < knots.length - 2 && knots[at + 1]!.x <= x) at++;
    const [a, b] = [knots[at]!, knots[at + 1]!];
    return b.x === a.x ? a.t : a.t + ((x - a.x) * (b.t - a.t)) / (b.x - a.x);
  }

  /** Round times for a ruler of about `n` ticks. */
  ticks(n: number): number[] {
    const span = this.to - this.from;
    if (!(span > 0)) return [];
    const rough = span / Math.max(1, n);
    const power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? power * 10;
    if (rough > 1000) step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400].map((s) => s * 1000).find((s) => s >= rough) ?? step;
    const found: number[] = [];
    for (let t = Math.ceil(this.from / step) * step; t <= this.to + step * 1e-9; t += step) found.push(t);
    return found;
  }
}

/** A row of the tree: a path, or a call made at it. */
export interface TreeRow {
  key: string;
  depth: number;
  step: Step | null;
  path: string;
  segment: string;
  open: boolean;
  calls: number;
  errors: number;
  /** Null where nothing is known of it. */
  cost: number | null;
  busy: number;
  tokens: number | null;
  from: number;
  to: number;
}

interface Node {
  path: string;
  segment: string;
  steps: Step[];
  children: Map<string, Node>;
  calls: number;
  errors: number;
  cost: number | null;
  busy: number;
  tokens: number | null;
  from: number;
  to: number;
}

/** The tree's visible rows in order. `closed` holds the paths that are folded. */
export function treeRows(steps: readonly Step[], closed: ReadonlySet<string>): TreeRow[] {
  const node = (path: string, segment: string): Node => ({ path, segment, steps: [], children: new Map(), calls: 0, errors: 0, cost: null, busy: 0, tokens: null, from: Infinity, to: 0 });
  const root = node("/", "");
  const add = (at: Node, step: Step): void => {
    if (!step.tool) at.calls++;
    if (step.failed) at.errors++;
    if (step.call.cost !== null) at.cost = (at.cost ?? 0) + step.call.cost;
    // How long a tool took that only an answer tells of is known as an upper bound at best.
    if (!step.tool) at.busy += step.to - step.from;
    if (step.call.total_tokens !== null) at.tokens = (at.tokens ?? 0) + step.call.total_tokens;
    at.from = Math.min(at.from, step.from);
    at.to = Math.max(at.to, step.to);
  };
  for (const step of steps) {
    let at = root;
    add(at, step);
    for (const segment of step.segments) {
      let next = at.children.get(segment);
      if (!next) {
        next = node(`${at.path === "/" ? "" : at.path}/${segment}`, segment);
        at.children.set(segment, next);
      }
      at = next;
      add(at, step);
    }
    at.steps.push(step);
  }
  const rows: TreeRow[] = [];
  const leaf = (step: Step, depth: number, segment = ""): TreeRow => ({
    key: step.id, depth, step, path: step.path, segment, open: false, calls: 1, errors: step.failed ? 1 : 0,
    cost: step.call.cost, busy: step.to - step.from, tokens: step.call.total_tokens, from: step.from, to: step.to,
  });
  const walk = (at: Node, depth: number): void => {
    // Calls and branches in the order in which they began.
    const inside: (Step | Node)[] = [...at.steps, ...at.children.values()].sort((a, b) => a.from - b.from);
    for (const item of inside) {
      if ("kind" in item) {
        rows.push(leaf(item, depth));
        continue;
      }
      // A path with one call is that call, under the path's name.
      if (item.children.size === 0 && item.steps.length === 1) {
        rows.push(leaf(item.steps[0]!, depth, item.segment));
        continue;
      }
      const open = !closed.has(item.path);
      rows.push({
        key: `path:${item.path}`, depth, step: null, path: item.path, segment: item.segment, open, calls: item.calls,
        errors: item.errors, cost: item.cost, busy: item.busy, tokens: item.tokens, from: item.from, to: item.to,
      });
      if (open) walk(item, depth + 1);
    }
  };
  walk(root, 0);
  return rows;
}
