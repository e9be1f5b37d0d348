/** The order of a list as the address has it: `sort`, and `asc=1` where the smallest come first. */

import { router } from "./router.svelte";

export interface Order {
  /** Empty: as the list comes, newest first. */
  sort: string;
  descending: boolean;
}

export const order = (standard = ""): Order => ({ sort: router.get("sort", standard), descending: router.get("asc") !== "1" });

/** A press on a column: its largest come first, then its smallest, then the list is as it was without one. */
export function press(sort: string, standard = ""): void {
  const now = order(standard);
  const again = now.sort === sort;
  const off = again && !now.descending;
  router.set({ sort: off || sort === standard ? null : sort, asc: again && now.descending && sort !== "" ? "1" : null }, true);
}

export const ariaSort = (now: Order, sort: string): "descending" | "ascending" | undefined => (now.sort !== sort ? undefined : now.descending ? "descending" : "ascending");
