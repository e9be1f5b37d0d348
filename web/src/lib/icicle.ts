/** Paths of many sessions as boxes: width is what is measured, depth is the path's. And what moved between two groups. */

import type { PathNode, PathSide, Sums } from "./api/types";

export type Measure = "cost" | "time" | "calls";

export interface Box {
  node: PathNode;
  /** Between 0 and 1 of the whole. */
  x: number;
  w: number;
  depth: number;
  /** Failed share of calls here and below. */
  rate: number;
}

export function amount(sums: Sums, measure: Measure): number {
  return measure === "cost" ? sums.cost : measure === "time" ? sums.time_ms : sums.calls;
}

/** Boxes that are wide enough to be seen, level by level below `root`. */
export function boxes(root: PathNode, measure: Measure, least: number): Box[] {
  const found: Box[] = [];
  const lay = (node: PathNode, x: number, w: number, depth: number): void => {
    found.push({ node, x, w, depth, rate: node.inclusive.calls ? node.inclusive.errors / node.inclusive.calls : 0 });
    const whole = amount(node.inclusive, measure);
    if (whole <= 0) return;
    let at = x;
    for (const child of [...node.children].sort((a, b) => amount(b.inclusive, measure) - amount(a.inclusive, measure))) {
      const wide = (amount(child.inclusive, measure) / whole) * w;
      if (wide >= least) lay(child, at, wide, depth + 1);
      at += wide;
    }
  };
  lay(root, 0, 1, 0);
  return found;
}

export function find(root: PathNode, path: string): PathNode | null {
  if (root.path === path) return root;
  for (const child of root.children) {
    if (path === child.path || path.startsWith(`${child.path}/`)) {
      const found = find(child, path);
      if (found) return found;
    }
  }
  return null;
}

/** Per session of each group, so that groups of unequal size compare. */
export function perSession(side: PathSide | null, sessions: number, measure: Measure): number {
  return side && sessions ? amount(side.inclusive, measure) / sessions : 0;
}

export interface Move {
  node: PathNode;
  a: number;
  b: number;
  by: number;
}

/** The paths whose own calls moved most from a to b. */
export function moved(root: PathNode, sessions: { a: number; b: number }, measure: Measure, most: number): Move[] {
  const found: Move[] = [];
  const walk = (node: PathNode): void => {
    const a = node.a && sessions.a ? amount(node.a.own, measure) / sessions.a : 0;
    const b = node.b && sessions.b ? amount(node.b.own, measure) / sessions.b : 0;
    if (a !== b) found.push({ node, a, b, by: b - a });
    node.children.forEach(walk);
  };
  walk(root);
  return found.sort((x, y) => Math.abs(y.by) - Math.abs(x.by)).slice(0, most);
}
