/**
 * The address is the state: pages, selection, filters and time live in it, so that a link shows what its sender saw.
 */

interface Location {
  path: string;
  query: URLSearchParams;
}

const here = (): Location => ({ path: location.pathname, query: new URLSearchParams(location.search) });

class Router {
  #at = $state.raw<Location>(here());
  /** The list that led to the page shown, as it was asked for. */
  #above: { path: string; href: string } | null = null;

  constructor() {
    addEventListener("popstate", () => this.#arrive());
    document.addEventListener("click", (event) => this.#follow(event));
  }

  get path(): string {
    return this.#at.path;
  }

  get query(): URLSearchParams {
    return this.#at.query;
  }

  /** One value of the query, or the default. */
  get(key: string, or = ""): string {
    return this.#at.query.get(key) ?? or;
  }

  go(href: string, replace = false): void {
    history[replace ? "replaceState" : "pushState"](null, "", href);
    const before = this.#at.path;
    this.#arrive();
    if (before !== this.#at.path && !replace) scrollTo(0, 0);
  }

  #arrive(): void {
    const [before, now] = [this.#at, here()];
    const below = (list: string): boolean => now.path.startsWith(`${list}/`);
    if (before.path !== now.path) {
      if (below(before.path)) this.#above = { path: before.path, href: before.path + queryText(before.query, {}) };
      else if (this.#above && !below(this.#above.path)) this.#above = null;
    }
    this.#at = now;
  }

  /** The way back to a list: with filter and order where the page was opened from it. */
  back(list: string): string {
    return this.#above?.path === list ? this.#above.href : to(list);
  }

  /** Sets values of the query; null or "" removes one. Replaces the entry unless `push`. */
  set(values: Record<string, string | null | undefined>, push = false): void {
    const href = this.href(values);
    if (href !== location.pathname + location.search) this.go(href, !push);
  }

  /** This page's address with other values. */
  href(values: Record<string, string | null | undefined>): string {
    return this.#at.path + queryText(this.#at.query, values);
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.hasAttribute("data-outside")) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

/** A query's text, with `values` put in. */
export function queryText(base: URLSearchParams | null, values: Record<string, string | null | undefined>): string {
  const query = new URLSearchParams(base ?? undefined);
  for (const [key, value] of Object.entries(values)) {
    if (value == null || value === "") query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

export const router = new Router();

/**
 * Reads what follows `prefix` in the path, decoded. While the path is elsewhere it stays what it was: a page that is being
 * left still asks, and keeps what it shows.
 */
export function below(prefix: string): () => string {
  let last = "";
  return () => {
    const rest = router.path.startsWith(prefix) ? router.path.slice(prefix.length) : "";
    if (rest) last = decoded(rest);
    return last;
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Address of a page, keeping the time range that is looked at. */
export function to(path: string, values: Record<string, string | null | undefined> = {}): string {
  const t = router.query.get("t");
  return path + queryText(null, { t, ...values });
}

export const sessionHref = (id: string, values: Record<string, string | null | undefined> = {}): string =>
  to(`/sessions/${encodeURIComponent(id)}`, values);
