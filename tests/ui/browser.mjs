// A real Chromium, and what every test holds against it: no dialog, no request to elsewhere, no error, no breach of the
// page's policy.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

const PLACES = [process.env.TRAILGATE_TEST_CHROMIUM, ...(process.env.PATH ?? "").split(":").flatMap((folder) => ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map((name) => `${folder}/${name}`)), "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 360, height: 780 };

export class Browser {
  static async start(base) {
    const executablePath = PLACES.find((place) => place && existsSync(place));
    if (!executablePath) throw new Error("no Chromium was found: run scripts/test-setup, or set TRAILGATE_TEST_CHROMIUM");
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];
    const browser = await chromium.launch({ executablePath, args });
    return new Browser(browser, base);
  }

  constructor(browser, base) {
    this.browser = browser;
    this.base = base;
    this.dialogs = [];
    this.outside = [];
    this.faults = [];
    /** Answers of the API that a test provokes on purpose. */
    this.expected = [];
  }

  /** A tab of its own, with nothing remembered. */
  async open(path, { viewport = WIDE, dark = false, storage } = {}) {
    const context = await this.browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC", bypassCSP: false, storageState: storage, permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    page.on("dialog", (dialog) => {
      this.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.base) && !url.startsWith("data:") && !url.startsWith("blob:")) this.outside.push(url);
    });
    page.on("pageerror", (error) => this.faults.push(`${page.url()}: ${error.stack ?? error}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = message.text();
      if (this.expected.some((part) => text.includes(part))) return;
      this.faults.push(`${page.url()}: ${text} ${message.location().url}`);
    });
    await page.goto(this.base + path);
    return page;
  }

  async close() {
    await this.browser.close();
  }

  verdict() {
    return { dialogs: this.dialogs, outside: this.outside, faults: this.faults };
  }
}

/** Waits until nothing on the page is being loaded. */
export async function settled(page) {
  await until("the page has settled", () => page.evaluate(() => document.querySelectorAll("[aria-busy=true]").length === 0 && ![...document.querySelectorAll("[role=status]")].some((node) => /Loading|Comparing|Asking/.test(node.textContent))));
}

/** What axe finds wrong, in few words. The page's policy stays in force: axe comes in through the debugger. */
export async function axe(page) {
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(axeSource, "utf8"));
  const violations = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations.map((v) => ({ id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 4).map((n) => `${n.target.join(" ")}: ${n.failureSummary?.split("\n")[1]?.trim() ?? ""}`) })));
  return violations;
}

/** Waits until `probe` answers something true; the reason is in the error. */
export async function until(what, probe, limit = 20_000) {
  const end = Date.now() + limit;
  let last;
  for (;;) {
    try {
      const found = await probe();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited in vain until ${what}${last ? `: ${last}` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

export function check(holds, what) {
  if (!holds) throw new Error(`not so: ${what}`);
}

/** Runs a program's parts in order and prints one line of JSON that says what each found. */
export async function run(parts) {
  const base = process.env.TRAILGATE_URL;
  if (!base) throw new Error("TRAILGATE_URL is not set");
  const browser = await Browser.start(base);
  const done = {};
  let failed = null;
  for (const [name, part] of Object.entries(parts)) {
    const began = Date.now();
    try {
      done[name] = (await part(browser, base)) ?? true;
      console.error(`${name}: ${Date.now() - began} ms`);
    } catch (error) {
      failed = `${name}: ${error.stack ?? error}`;
      break;
    }
  }
  await browser.close();
  console.log(JSON.stringify({ failed, done, ...browser.verdict() }));
}
