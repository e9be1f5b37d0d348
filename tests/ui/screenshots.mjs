// Pictures of every page, light and dark, wide and narrow: `node tests/ui/screenshots.mjs [FOLDER]`, docs/screenshots by
// default. TRAILGATE_BIN is the gateway's binary, target/release/trailgate by default; a debug build shows what is in
// web/dist. ONLY=<pattern> takes the pages whose names match. With `pngquant` at hand the files are a third as large.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Browser, NARROW, settled, until, WIDE } from "./browser.mjs";
import { gateway, root } from "./gateway.mjs";
import { history, Seeder } from "./seed.mjs";

const folder = resolve(process.argv[2] ?? join(root, "docs/screenshots"));
const only = new RegExp(process.env.ONLY ?? "");
const KEY = "sk-helicone-shown00-shown00-shown00-shown00";

/** A page in its four forms; `act` brings it where the picture is taken. */
async function shoot(browser, name, path, act) {
  if (!only.test(name)) return;
  for (const [width, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    for (const dark of [false, true]) {
      const page = await browser.open(path, { viewport, dark });
      await act(page);
      await settled(page);
      await until("all that is in view is told", () => page.evaluate(() => document.querySelectorAll(".step .wait").length === 0));
      // Charts are drawn when their script is there, the rest of a page a frame after its data.
      await until("all charts are drawn", () => page.evaluate(() => [...document.querySelectorAll("figure .plot")].every((plot) => plot.querySelector("canvas"))));
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      const file = join(folder, `${name}-${width}-${dark ? "dark" : "light"}.png`);
      await page.screenshot({ path: file });
      spawnSync("pngquant", ["--force", "--skip-if-larger", "--speed", "1", "--output", file, "--", file]);
      await page.context().close();
    }
  }
  console.log(name);
}

const shows = (selector) => (page) => page.locator(selector).first().waitFor();

mkdirSync(folder, { recursive: true });
const open = await gateway();
const browser = await Browser.start(open.url);
try {
  await shoot(browser, "start", "/", (page) => page.getByRole("heading", { name: "Send the first call" }).waitFor());

  for (const [name, rights] of [["production", "w"], ["dashboards", "r"], ["laptop", "rw"]]) {
    await fetch(`${open.url}/v1/api-keys`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ api_key_name: name, key_permissions: rights }) });
  }
  const seeder = new Seeder(open.url);
  const ids = await history(seeder, { sessions: 120, days: 6 });
  await until("all is stored", async () => {
    const answer = await fetch(`${open.url}/v1/request/count/query`, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
    return (await answer.json()).data === seeder.posted;
  });
  const sessions = (await (await fetch(`${open.url}/v1/session/top`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ search: "trip-planner", sort: "total_requests", limit: 50 }) })).json()).data;
  const shown = sessions.find((one) => one.errors > 0)?.session_id ?? ids[0];
  const session = `/sessions/${encodeURIComponent(shown)}`;
  const detail = await (await fetch(`${open.url}/v1/session/${encodeURIComponent(shown)}`)).json();
  const step = detail.data.calls.filter((call) => call.kind === "llm")[2].request_id;

  await shoot(browser, "home", "/?t=24h", (page) => page.getByRole("heading", { name: "Dearest sessions" }).waitFor());
  await shoot(browser, "sessions", "/sessions", (page) => page.getByRole("row").nth(8).waitFor());
  await shoot(browser, "session", session, shows(".step .said .role"));
  await shoot(browser, "session-detail", `${session}?s=${step}`, shows(".detail h3"));
  await shoot(browser, "session-tree", `${session}?v=tree`, shows("[role=treeitem]"));
  await shoot(browser, "session-timeline", `${session}?v=timeline&fold=1&crit=1`, shows(".timeline .bar"));
  await shoot(browser, "session-graph", `${session}?v=graph`, shows(".graph .box"));
  await shoot(browser, "requests", "/requests", (page) => page.getByRole("row").nth(8).waitFor());
  await shoot(browser, "request", `/requests/${step}`, shows(".detail h3"));
  await shoot(browser, "paths", "/paths", shows("main [role=treeitem], main tbody tr, main .row"));
  await shoot(browser, "paths-compare", "/paths?prop=Agent-Version&a=v1.0&b=v1.1", (page) => page.getByRole("heading", { name: /What moved most/ }).waitFor());
  await shoot(browser, "tools", "/tools", (page) => page.getByRole("rowheader").nth(3).waitFor());
  await shoot(browser, "models", "/models", (page) => page.getByRole("rowheader").nth(2).waitFor());
  await shoot(browser, "users", "/users", (page) => page.getByRole("rowheader").nth(3).waitFor());
  await shoot(browser, "properties", "/properties?key=Agent-Version", (page) => page.getByRole("rowheader").nth(1).waitFor());
  for (const tab of ["keys", "organisation", "retention", "health", "look"]) {
    await shoot(browser, `settings-${tab}`, `/settings?tab=${tab}`, shows("main [role=tabpanel]"));
  }
} finally {
  await browser.close();
  await open.stop();
}

const closed = await gateway({ TRAILGATE_AUTH_MODE: "keys", TRAILGATE_AUTH_KEY: KEY });
const stranger = await Browser.start(closed.url);
try {
  await shoot(stranger, "login", "/sessions", (page) => page.getByRole("heading", { name: "Sign in to Trailgate" }).waitFor());
} finally {
  await stranger.close();
  await closed.stop();
}
