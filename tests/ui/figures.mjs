// How long a person waits, in a real Chromium: a session of ten thousand steps, the list over a filled store, and how large
// the script is. Prints a table of docs/PERFORMANCE.md; judges nothing.
//
//   TRAILGATE_BIN=target/release/trailgate node tests/ui/figures.mjs [DATABASE]
//
// DATABASE is what `cargo bench --bench sessions` fills, target/bench/sessions.db by default, or the URL of the PostgreSQL that
// it filled; without it these rows are left out. It is only read: nothing is sent to the gateway in front of it.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { Browser, settled, until } from "./browser.mjs";
import { gateway, root } from "./gateway.mjs";
import { long, Seeder } from "./seed.mjs";

const STEPS = 10_000;
const ROUNDS = 9;
const given = process.argv[2] ?? join(root, "target/bench/sessions.db");
const database = /^postgres(ql)?:/.test(given) ? given : existsSync(given) ? `sqlite://${resolve(given)}` : null;
const rows = [];
const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const most = (list) => Math.max(...list);
const tell = (what, list, aim) => rows.push([what, `${Math.round(middle(list))}`, `${Math.round(most(list))}`, aim]);

/** From a key to the frame after its effect is in the document. */
const timed = (page, key, done) =>
  page.evaluate(
    async ([key, done]) => {
      const holds = new Function(`return ${done}`);
      const began = performance.now();
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      while (!holds()) await new Promise((drawn) => requestAnimationFrame(drawn));
      await new Promise((drawn) => requestAnimationFrame(drawn));
      return performance.now() - began;
    },
    [key, done],
  );

/** Milliseconds from the start of the navigation until `selector` is there and was drawn. */
async function opened(browser, path, selector) {
  const page = await browser.open("/settings");
  await settled(page);
  await page.goto(browser.base + path, { waitUntil: "commit" });
  const ms = await page.evaluate(async (selector) => {
    while (!document.querySelector(selector)) await new Promise((drawn) => requestAnimationFrame(drawn));
    await new Promise((drawn) => requestAnimationFrame(drawn));
    return performance.now();
  }, selector);
  return { page, ms };
}

async function session(browser) {
  const first = [];
  const paint = [];
  let page;
  for (let n = 0; n < ROUNDS; n++) {
    await page?.context().close();
    const found = await opened(browser, "/sessions/long-haul", ".step .said, .step .line");
    page = found.page;
    first.push(found.ms);
    paint.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN));
  }
  tell("a session of 10,000 steps: first paint", paint, "1,000");
  tell("its first steps with their words", first, "1,000");
  await page.getByText("are coming").waitFor({ state: "detached", timeout: 120_000 });
  await settled(page);

  const LENSES = [["Tree", "2", ".tree [role=treeitem]"], ["Timeline", "3", ".timeline [role=option]"], ["Graph", "4", ".graph .box"], ["Transcript", "1", ".transcript .step"]];
  const took = Object.fromEntries(LENSES.map(([name]) => [name, []]));
  const inDocument = {};
  for (let n = 0; n < ROUNDS; n++) {
    for (const [name, key, selector] of LENSES) {
      took[name].push(await timed(page, key, `document.querySelector(${JSON.stringify(selector)})`));
      inDocument[name] = await page.evaluate((selector) => document.querySelectorAll(selector).length, selector);
      await page.waitForTimeout(200);
    }
  }
  // The first switch to a lens loads nothing: all four are of one file.
  for (const [name] of LENSES) tell(`to ${name}`, took[name], "100");
  await page.keyboard.press("3");
  await page.locator(".timeline [role=option]").first().waitFor();
  const [only, all] = [[], []];
  for (let n = 0; n < ROUNDS; n++) {
    only.push(await timed(page, "e", `location.search.includes("only=errors") && document.querySelector(".timeline .row .bar.failed")`));
    await page.waitForTimeout(200);
    all.push(await timed(page, "e", `!location.search.includes("only=errors") && document.querySelector(".timeline .row .bar:not(.failed)")`));
    await page.waitForTimeout(200);
  }
  tell("filter: only errors", only, "100");
  tell("all steps again", all, "100");
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  await page.context().close();
  return { inDocument, elements };
}

/** Gzipped bytes of the script: what any page loads first, and everything. */
function script() {
  const folder = join(root, "web/dist/assets");
  const named = (text) => new Set([...text.matchAll(/[\w.-]+\.js\b/g)].map(([name]) => name).filter((name) => existsSync(join(folder, name))));
  // What an earlier build left behind is named by nobody.
  const first = named(readFileSync(join(root, "web/dist/index.html"), "utf8"));
  const all = new Set(first);
  for (const name of all) for (const next of named(readFileSync(join(folder, name), "utf8"))) all.add(next);
  const sum = (names) => [...names].reduce((total, name) => total + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0);
  return { entry: sum(first), all: sum(all), files: all.size };
}

const seeded = await gateway();
let browser = await Browser.start(seeded.url);
let kept;
try {
  const seeder = new Seeder(seeded.url);
  await long(seeder, STEPS);
  await until("all steps are stored", async () => {
    const answer = await fetch(`${seeded.url}/v1/session/query`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ search: "long-haul" }) });
    return (await answer.json()).data[0]?.total_requests === STEPS;
  }, 120_000);
  kept = await session(browser);
} finally {
  await browser.close();
  await seeded.stop();
}

if (database) {
  const filled = await gateway({ TRAILGATE_DATABASE_URL: database });
  browser = await Browser.start(filled.url);
  try {
    for (const [what, path] of [["the last 7 days", "/sessions"], ["the last 90 days", "/sessions?t=90d"], ["one user's, 90 days", "/sessions?t=90d&q=user%3Auser-7"], ["dearest first, 90 days", "/sessions?t=90d&sort=total_cost"]]) {
      const list = [];
      for (let n = 0; n < ROUNDS; n++) {
        const { page, ms } = await opened(browser, path, ".row:not(.heads)");
        list.push(ms);
        await page.context().close();
      }
      tell(`session list over the filled store, ${what}: first rows`, list, "300");
    }
  } finally {
    await browser.close();
    await filled.stop();
  }
} else console.error(`${given} is not there: the list over a filled store is left out`);

const { entry, all, files } = script();
console.log("| what | median ms | slowest ms | aim ms |\n|---|---:|---:|---:|");
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
console.log(`\nsteps in the document: ${Object.entries(kept.inDocument).map(([lens, n]) => `${lens} ${n}`).join(", ")}; elements in all: ${kept.elements}`);
console.log(`script, gzipped: ${(entry / 1000).toFixed(1)} kB before the first page, ${(all / 1000).toFixed(1)} kB in ${files} files in all (aim 150 kB)`);
