// A session of ten thousand steps: what is in the document, and how long a person waits. The figures are reported.
import { check, run, until } from "./browser.mjs";
import { long, Seeder } from "./seed.mjs";

const STEPS = 10_000;
const figures = {};

/** From an action to the frame after its effect is in the document. */
async function timed(page, act, done) {
  return page.evaluate(
    async ([act, done]) => {
      const holds = new Function(`return ${done}`);
      const began = performance.now();
      new Function(act)();
      while (!holds()) await new Promise((resolve) => requestAnimationFrame(resolve));
      await new Promise((resolve) => requestAnimationFrame(resolve));
      return Math.round(performance.now() - began);
    },
    [act, done],
  );
}
const key = (name) => `document.body.dispatchEvent(new KeyboardEvent("keydown", { key: ${JSON.stringify(name)}, bubbles: true }))`;

await run({
  async "seeds"(_, base) {
    const seeder = new Seeder(base);
    await long(seeder, STEPS);
    await until("all steps are stored", async () => {
      const answer = await fetch(`${base}/v1/session/query`, { method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${seeder.key}` }, body: JSON.stringify({ search: "long-haul" }) });
      return (await answer.json()).data[0]?.total_requests === STEPS;
    }, 60_000);
    return seeder.posted;
  },
  async "first paint, lenses and filters"(browser) {
    const began = Date.now();
    const page = await browser.open("/sessions/long-haul");
    await page.locator(".step").first().waitFor();
    figures.first_steps_ms = Date.now() - began;
    figures.first_contentful_paint_ms = Math.round(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1));
    await page.getByText("are coming").waitFor({ state: "detached", timeout: 60_000 });
    figures.all_steps_ms = Date.now() - began;
    figures.header_of = await page.locator(".stats").innerText();
    check(figures.header_of.includes("10,000"), "the header tells of all steps");
    const most = () => page.evaluate(() => document.querySelectorAll(".list [role=option], .list [role=treeitem]").length);
    const rows = {};
    const lens = { 2: ".tree [role=treeitem]", 3: ".timeline [role=option]", 4: ".graph .box", 1: ".transcript .step" };
    // Once to load and warm, then measured.
    for (const round of [0, 1]) {
      for (const name of ["2", "3", "4", "1"]) {
        const ms = await timed(page, key(name), `document.querySelector(${JSON.stringify(lens[name])})`);
        if (round) figures[`lens_${name}_ms`] = ms;
        rows[name] = await most();
        await page.waitForTimeout(150);
      }
    }
    figures.rows = rows;
    for (const [name, n] of Object.entries(rows)) check(n < 140, `lens ${name}: only what is in view is in the document: ${n}`);
    await page.keyboard.press("3");
    await page.locator(".timeline [role=option]").first().waitFor();
    figures.only_errors_ms = await timed(page, key("e"), `document.querySelector(".timeline .row .bar.failed") && location.search.includes("only=errors")`);
    const failing = await page.locator(".timeline [role=option]").count();
    check(failing > 0, "failed steps are shown");
    figures.all_again_ms = await timed(page, key("x"), `!location.search.includes("only=errors") && document.querySelector(".timeline .row .bar:not(.failed)")`);
    figures.next_step_ms = await timed(page, key("j"), `document.querySelector(".timeline .row.sel")`);
    figures.next_error_ms = await timed(page, key("n"), `document.querySelector(".timeline .row.sel .bar.failed")`);
    figures.last_step_ms = await timed(page, key("G"), `document.querySelector("[id='t-${STEPS - 1}'].sel")`);
    figures.fold_ms = await timed(page, key("f"), `document.querySelector(".timeline .gap")`);
    // The selection is in view in each lens, and stays there when the words of the steps above it come late.
    await page.route("**/v1/request/**", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      await route.continue();
    });
    for (const [name, selector] of [["2", ".tree .row.sel"], ["1", ".transcript .step.sel"]]) {
      await page.keyboard.press(name);
      const row = page.locator(selector);
      await row.waitFor();
      await until("the selection is in view", async () => {
        const box = await row.boundingBox();
        return box && box.y > 0 && box.y + box.height / 2 < 900;
      });
    }
    for (let n = 0; n < 6; n++) {
      await page.waitForTimeout(400);
      const kept = await page.locator(".transcript .step.sel").boundingBox();
      check(kept && kept.y > 0 && kept.y + kept.height <= 901, `the selection stays in view: ${JSON.stringify(kept)}`);
    }
    await page.locator(".transcript .step.sel .block, .transcript .step.sel .line").first().waitFor();
    // Requests that are still held are let go first: taken away under its handler, a route is no longer the handler's to continue.
    await page.unrouteAll({ behavior: "wait" });
    figures.elements = await page.evaluate(() => document.querySelectorAll("*").length);
    check(figures.elements < 3000, `the document stays small: ${figures.elements}`);
    await page.context().close();
    return figures;
  },
});
