// What strangers sent is shown as text, whatever is in it and however it is shaped.
import { axe, check, NARROW, run, settled, until } from "./browser.mjs";
import { odd, PAYLOADS, Seeder } from "./seed.mjs";

const EVIL = `evil-"><img src=x onerror=alert(0)>`;
const session = (id, query = "") => `/sessions/${encodeURIComponent(id)}${query}`;

await run({
  async "markup in every field stays text, on every page"(browser, base) {
    await odd(new Seeder(base));
    const places = ["/", "/sessions", "/requests", "/paths", "/tools", "/models", "/users", "/properties?key=Payload", session(EVIL), session(EVIL, "?v=tree"), session(EVIL, "?v=timeline"), session(EVIL, "?v=graph")];
    for (const place of places) {
      const page = await browser.open(place);
      await page.locator("main").waitFor();
      await settled(page);
      const planted = await page.evaluate(() => document.querySelectorAll("main script, main iframe, main object, main embed, main form[action], main meta, main link, main style, [onerror], [onload], [ontoggle], a[href^='javascript:'], img[src^='http']").length);
      check(planted === 0, `${place}: nothing was planted`);
      await page.context().close();
    }
    const page = await browser.open(session(EVIL));
    await page.getByText(PAYLOADS[0]).first().waitFor();
    await page.locator(".step").first().waitFor();
    // Each of the first steps opened, with all of its parts.
    for (let n = 0; n < 24; n++) {
      await page.keyboard.press("j");
      await page.locator(".detail").waitFor();
      for (const tab of ["Facts", "Raw", "Step"]) await page.getByRole("tab", { name: tab, exact: true }).click();
    }
    await page.context().close();
  },
  async "right-to-left text keeps its direction"(browser) {
    const page = await browser.open(session("rtl"));
    const text = page.getByText("أريد رحلة إلى طنجة").first();
    await text.waitFor();
    check((await text.evaluate((node) => getComputedStyle(node.closest("[dir]")).direction)) === "rtl", "the paragraph runs from right to left");
    await page.context().close();
  },
  async "Markdown is drawn, names and products are left alone"(browser, base) {
    const seeder = new Seeder(base);
    const content = "| Sky | Wind |\n|:--|--:|\n| clear | 18 <b>km</b> |\n| a \\| b | 2 |\n\nIn __init__ of **main**, 3 * 4 * 5.\n\n```\n" + "long ".repeat(200) + "\n```";
    seeder.log({ session: "markdown", name: "Markdown", path: "/md", route: "/oai/v1/log", at: Date.now() - 60_000, ms: 300, request: { model: "gpt-4o", messages: [{ role: "user", content: "?" }] }, response: { choices: [{ message: { role: "assistant", content } }] } });
    await seeder.flush();
    await until("it is stored", async () => (await fetch(`${base}/v1/session/markdown`, { headers: { Authorization: `Bearer ${seeder.key}` } })).ok);
    const page = await browser.open(session("markdown"), { viewport: NARROW });
    await page.getByRole("columnheader", { name: "Sky" }).waitFor();
    check((await page.getByRole("cell").allInnerTexts()).join("; ") === "clear; 18 <b>km</b>; a | b; 2", "a table has its cells");
    await page.getByText("In __init__ of main, 3 * 4 * 5.").waitFor();
    await until("code that scrolls is reached by Tab", async () => (await page.locator("pre").getAttribute("tabindex")) === "0");
    const violations = await axe(page);
    check(violations.length === 0, `axe finds nothing: ${JSON.stringify(violations)}`);
    await page.context().close();
  },
  async "numbers keep their digits"(browser, base) {
    const time = `{"startTime":{"seconds":${Math.floor(Date.now() / 1000) - 60},"milliseconds":0},"endTime":{"seconds":${Math.floor(Date.now() / 1000) - 59},"milliseconds":0}}`;
    const request = '{"model":"gpt-4o","messages":[{"role":"user","content":"?"}],"seed":12345678901234567891}';
    const answer = '{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"find","arguments":"{\\"id\\":9007199254740993}"}}]}}]}';
    const sent = await fetch(`${base}/oai/v1/log`, { method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${new Seeder(base).key}`, "Helicone-Session-Id": "digits" },
      body: `{"providerRequest":{"url":"x","json":${request},"meta":{}},"providerResponse":{"headers":{},"status":200,"json":${answer}},"timing":${time}}` });
    check(sent.status === 200, `it is logged: ${sent.status}`);
    await until("it is stored", async () => (await fetch(`${base}/v1/session/digits`, { headers: { Authorization: `Bearer ${new Seeder(base).key}` } })).ok);
    const page = await browser.open(session("digits"));
    await page.locator(".step").first().waitFor();
    await page.keyboard.press("j");
    await page.locator(".detail").getByText("9007199254740993").waitFor();
    await page.getByRole("tab", { name: "Raw", exact: true }).click();
    await page.locator(".detail").getByText("12345678901234567891").waitFor();
    await page.context().close();
  },
  async "five megabytes, half an answer and pictures"(browser) {
    let page = await browser.open(session("heavy"));
    await page.locator(".step").nth(1).waitFor();
    await page.keyboard.press("j");
    await page.getByRole("button", { name: "Load them" }).click();
    await page.getByText("Nothing unusual.").first().waitFor();
    const shown = await page.evaluate(() => document.body.innerText.length);
    check(shown < 60_000, `of 5 MB only a portion is in the document: ${shown}`);
    await page.keyboard.press("j");
    await page.getByText('{"choices"').first().waitFor();
    await page.context().close();
    page = await browser.open(session("pictures"));
    await page.locator(".step").first().waitFor();
    await page.keyboard.press("j");
    await page.locator("figure img").waitFor();
    await page.getByText("http://outside.example/cat.png").waitFor();
    await page.context().close();
  },
  async "one step, only errors, fifty levels"(browser) {
    const odd = [["lonely", "Hello!"], ["all-wrong", "Overloaded."], ["deep", "Fifty."]];
    for (const [id, text] of odd) {
      for (const viewport of [undefined, NARROW]) {
        const page = await browser.open(session(id), viewport ? { viewport } : {});
        await page.getByText(text).first().waitFor();
        const violations = await axe(page);
        check(violations.length === 0, `${id}: axe finds nothing: ${JSON.stringify(violations)}`);
        await page.context().close();
      }
    }
    const page = await browser.open(session("deep", "?v=tree"));
    await page.getByRole("treeitem").first().waitFor();
    await page.keyboard.press("G");
    await page.locator('[role=treeitem][title$="/level-50"]').first().waitFor();
    check((await page.locator("body").evaluate((body) => body.scrollWidth - body.clientWidth)) <= 0, "a deep tree does not widen the page");
    await page.context().close();
    const missing = session("no-such-session");
    browser.expected.push("404");
    const none = await browser.open(missing);
    await none.getByRole("alert").waitFor();
    await none.getByRole("link", { name: "All sessions", exact: true }).first().waitFor();
    await none.context().close();
  },
});
