// Every page on real data: what it shows, its keys, its address, both colours, both widths, what axe says, how it grows.
import { readFileSync } from "node:fs";
import { axe, check, NARROW, run, settled, until } from "./browser.mjs";
import { history, provider, proxied, Seeder } from "./seed.mjs";

const query = (page, name) => new URL(page.url()).searchParams.get(name);
let first;

/** Each page with what shows that it is there. */
const PAGES = {
  home: ["/", (page) => page.getByRole("heading", { name: "Dearest sessions" })],
  sessions: ["/sessions", (page) => page.getByRole("row").nth(3)],
  requests: ["/requests", (page) => page.getByRole("row").nth(3)],
  paths: ["/paths?prop=Agent-Version&a=v1.0&b=v1.1", (page) => page.getByRole("heading", { name: /What moved most/ })],
  tools: ["/tools", (page) => page.getByRole("rowheader", { name: "book_hotel" })],
  models: ["/models", (page) => page.getByRole("rowheader", { name: "gpt-4o-mini" })],
  users: ["/users", (page) => page.getByRole("rowheader", { name: "ada" })],
  properties: ["/properties?key=Agent-Version", (page) => page.getByRole("rowheader", { name: "v1.1" })],
  settings: ["/settings", (page) => page.getByRole("button", { name: "Make a key" })],
  retention: ["/settings?tab=retention", (page) => page.getByLabel(/Keep calls for/)],
  health: ["/settings?tab=health", (page) => page.getByRole("heading", { name: /Database/ })],
  start: ["/start", (page) => page.getByRole("heading", { name: "Send the first call" })],
};
const lensPages = () => ({
  transcript: [`/sessions/${first}`, (page) => page.locator(".step .said .role").first()],
  tree: [`/sessions/${first}?v=tree`, (page) => page.getByRole("treeitem").first()],
  timeline: [`/sessions/${first}?v=timeline&fold=1&crit=1`, (page) => page.locator(".timeline .bar").first()],
  graph: [`/sessions/${first}?v=graph`, (page) => page.locator(".graph .box").first()],
});

await run({
  async "seeds"(_, base) {
    const seeder = new Seeder(base);
    const ids = await history(seeder, { sessions: 48, days: 5 });
    first = ids.filter((id) => id.startsWith("trip-planner")).at(-1);
    await until("all is stored", async () => {
      const answer = await fetch(`${base}/v1/session/query`, { method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${seeder.key}` }, body: JSON.stringify({ search: ids.at(-1) }) });
      return (await answer.json()).data.length === 1;
    });
    return seeder.posted;
  },

  async "each page, light and wide, dark and narrow"(browser) {
    const wrong = [];
    for (const [name, [path, sign]] of Object.entries({ ...PAGES, ...lensPages() })) {
      for (const [viewport, dark] of [[undefined, false], [NARROW, true]]) {
        const page = await browser.open(path, { ...(viewport ? { viewport } : {}), dark });
        await sign(page).waitFor();
        await settled(page);
        const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        check(/rgb\((\d+)/.exec(colour)[1] > 128 !== dark, `${name}: the colours follow the system: ${colour}`);
        const over = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
        if (over > 0) wrong.push(`${name}: ${over} px too wide`);
        for (const violation of await axe(page)) wrong.push(`${name}${dark ? ", dark and narrow" : ""}: ${violation.id}: ${violation.nodes.join(" | ")}`);
        check((await page.title()).includes("Trailgate"), `${name} has a title`);
        await page.context().close();
      }
    }
    check(wrong.length === 0, `nothing is wrong:\n${wrong.join("\n")}`);
  },

  async "the list: filters by click and by text stand in the address"(browser) {
    const page = await browser.open("/sessions");
    await page.getByRole("row").nth(3).waitFor();
    const user = page.locator(".row .user button").first();
    const name = (await user.innerText()).trim();
    await user.click();
    await until("the address has the user", () => query(page, "q") === `user:${name}`);
    await until("only this user's sessions are left", async () => {
      const users = await page.locator(".row:not(.heads) .user").allInnerTexts();
      return users.length > 0 && users.every((text) => text.includes(name));
    });
    await page.keyboard.press("/");
    await page.keyboard.type("calls>2");
    await page.keyboard.press("Enter");
    await until("both conditions stand there", () => query(page, "q") === `user:${name} calls>2`);
    await page.reload();
    await page.getByRole("row").nth(1).waitFor();
    check((await page.locator(".term").count()) === 2, "a reload keeps them");
    await page.getByRole("button", { name: "Remove calls>2" }).click();
    await until("one is gone", () => query(page, "q") === `user:${name}`);
    await page.keyboard.press("/");
    await page.keyboard.type("cost>cheap");
    await page.keyboard.press("Enter");
    check((await page.getByRole("alert").innerText()).includes("no number"), "a fault is said");
    await page.goBack();
    await until("back goes back", () => query(page, "q") === `user:${name}`);
    await page.getByRole("button", { name: "Remove all conditions" }).click();
    await page.getByRole("combobox", { name: "Filter" }).fill("no such session at all");
    await page.keyboard.press("Enter");
    await page.getByText("No session matches").waitFor();
    await page.context().close();
  },

  async "the list: order, keys, the way in and back"(browser, base) {
    const page = await browser.open("/sessions");
    await page.getByRole("row").nth(3).waitFor();
    await page.getByRole("button", { name: "Cost", exact: true }).click();
    await until("the address has the order", () => query(page, "sort") === "total_cost");
    /** Whether the first rows' costs fall or rise. */
    const ordered = async (falling) => {
      const costs = (await page.locator(".row:not(.heads) .cost").allInnerTexts()).map((text) => parseFloat(text.replace(/[^\d.]/g, "")) || 0);
      return costs.length > 5 && costs.slice(0, 6).every((one, i) => i === 0 || (falling ? one <= costs[i - 1] * 1.001 : one >= costs[i - 1] * 0.999));
    };
    await until("the dearest comes first", () => ordered(true));
    const cost = page.getByRole("button", { name: "Cost", exact: true });
    await cost.click();
    await page.getByRole("columnheader", { name: "Cost" }).and(page.locator('[aria-sort="ascending"]')).waitFor();
    await until("the cheapest comes first", () => ordered(false));
    await cost.click();
    await until("a third press takes the order away", () => query(page, "sort") === null && query(page, "asc") === null);
    await cost.click();
    await until("the order is back", async () => query(page, "sort") === "total_cost" && (await ordered(true)));
    for (const press of ["j", "j", "k"]) await page.keyboard.press(press);
    check((await page.locator(".row.at").count()) === 1, "a row is chosen");
    await page.keyboard.press("Enter");
    await until("it is open", () => /^\/sessions\/./.test(new URL(page.url()).pathname));
    await page.goBack();
    await until("back at the list, in the same order", () => query(page, "sort") === "total_cost");
    await page.locator(".row.at").waitFor();
    const chosen = await page.locator(".row.at a").getAttribute("href");
    await page.keyboard.press("j");
    check((await page.locator(".row.at a").getAttribute("href")) !== chosen, "one goes on from the row that was open");
    await page.keyboard.press("Enter");
    await until("the next is open", () => /^\/sessions\/./.test(new URL(page.url()).pathname));
    // The list has a heading, too: its page must be gone before a key can be meant for the other.
    await page.locator(".transcript .step").first().waitFor();
    await page.keyboard.press("Escape");
    await until("Escape leads back to the same order", () => new URL(page.url()).pathname === "/sessions" && query(page, "sort") === "total_cost");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    check((await page.getByRole("dialog").innerText()).includes("Only with errors"), "the sheet lists the page's keys");
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await until("two keys go to a page", () => new URL(page.url()).pathname === "/tools");
    await page.context().close();
    const narrow = await browser.open("/sessions", { viewport: NARROW });
    await narrow.getByRole("row").nth(2).waitFor();
    await narrow.getByRole("button", { name: "Order: newest first" }).click();
    await narrow.getByRole("button", { name: "Cost", exact: true }).click();
    await until("a narrow screen has an order, too", () => query(narrow, "sort") === "total_cost");
    await narrow.goto(`${base}/requests`);
    await narrow.getByRole("row").nth(2).waitFor();
    await narrow.getByRole("button", { name: "Order: newest first" }).click();
    await narrow.getByRole("button", { name: "Took", exact: true }).click();
    await narrow.getByRole("button", { name: "Order: Took, largest first" }).click();
    await narrow.getByRole("button", { name: /^Took/ }).click();
    await until("and the other way round", () => query(narrow, "sort") === "latency" && query(narrow, "asc") === "1");
    await narrow.context().close();
  },

  async "a filter is saved by name, found elsewhere, and deleted"(browser) {
    let page = await browser.open("/sessions?q=errors%3E0");
    await page.getByRole("button", { name: "Saved filters" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("went wrong");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "went wrong", exact: true }).waitFor();
    await page.context().close();
    page = await browser.open("/sessions");
    await page.getByRole("button", { name: "Saved filters" }).click();
    await page.getByRole("button", { name: "went wrong", exact: true }).click();
    await until("it is in force", () => query(page, "q") === "errors>0");
    await page.getByRole("button", { name: "Saved filters" }).click();
    await page.getByRole("button", { name: "Delete went wrong" }).click();
    await page.getByText("No filter is saved").waitFor();
    await page.context().close();
  },

  async "an export has every row"(browser) {
    const page = await browser.open("/sessions");
    await page.getByText(/\d+ sessions/).first().waitFor();
    const total = Number(/([\d,]+) sessions/.exec(await page.locator("header .note").innerText())[1].replace(",", ""));
    for (const [label, extra] of [["CSV", 1], ["JSON Lines", 0]]) {
      await page.getByRole("button", { name: "Export" }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: label }).click()]);
      const lines = readFileSync(await download.path(), "utf8").trim().split("\n").length;
      check(lines === total + extra, `${label} has ${total} rows: ${lines - extra}`);
    }
    await page.context().close();
  },

  async "a session: one selection in four lenses, by keys"(browser) {
    const page = await browser.open(`/sessions/${first}`);
    await page.locator(".step .said .role").first().waitFor();
    for (let n = 0; n < 4; n++) await page.keyboard.press("j");
    const chosen = query(page, "s");
    check(chosen, "the selection stands in the address");
    await page.locator(".detail").waitFor();
    for (const [key, selector] of [["2", ".tree .sel"], ["3", ".timeline .sel"], ["1", ".transcript .sel"]]) {
      await page.keyboard.press(key);
      await page.locator(selector).waitFor();
      check(query(page, "s") === chosen, `lens ${key} keeps it`);
    }
    await page.getByText(/New in this step|Input|Request/).first().waitFor();
    await page.keyboard.press("]");
    await page.getByRole("heading", { name: "Usage" }).or(page.getByRole("heading", { name: "Where it went" })).first().waitFor();
    await page.keyboard.press("[");
    await page.keyboard.press("y");
    await page.getByText("The step copied").waitFor();
    const step = await page.evaluate(() => navigator.clipboard.readText());
    check(step.length > 40, "a step is Markdown");
    await page.keyboard.press("Y");
    await page.getByText("The session copied").waitFor();
    const whole = await page.evaluate(() => navigator.clipboard.readText());
    check(whole.includes("Trip planner") && whole.length > step.length, "a session is Markdown");
    await page.keyboard.press("c");
    await until("the critical path is shown where it is drawn", () => query(page, "v") === "timeline" && query(page, "crit") === "1");
    await page.keyboard.press("G");
    await page.keyboard.press("n");
    await page.getByText(/^No error (after this step|in this list)/).waitFor();
    await page.keyboard.press("Escape");
    await until("the step is closed", () => query(page, "s") === null);
    await page.context().close();
  },

  async "a session: what was said before is folded, what is new comes first"(browser) {
    const page = await browser.open(`/sessions/${first}`);
    await page.locator(".step .said .role").first().waitFor();
    // The last model call of the session goes on from all others.
    await page.keyboard.press("G");
    await page.locator(".detail summary").filter({ hasText: "History" }).waitFor();
    const history = await page.locator(".detail details.history").first().innerText();
    check(/\d+ messages, unchanged since step #\d+/.test(history), `the history is counted: ${history}`);
    await page.getByRole("tab", { name: "Raw", exact: true }).click();
    await page.getByRole("link", { name: "Exact bytes" }).first().waitFor();
    await page.context().close();
  },

  async "a session: tool calls that only answers tell of"(browser, base) {
    const seeder = new Seeder(base);
    const at = Date.now() - 60_000;
    const call = { id: "call_w", type: "function", function: { name: "look_around", arguments: '{"where":"here"}' } };
    const answer = (message) => ({ id: "chatcmpl-w", model: "gpt-4o", choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop" }], usage: { prompt_tokens: 50, completion_tokens: 5, total_tokens: 55 } });
    const messages = [{ role: "user", content: "What is here?" }];
    const common = { session: "wire-tools", name: "Wire tools", path: "/look", route: "/oai/v1/log", ms: 1000 };
    seeder.log({ ...common, at, request: { model: "gpt-4o", messages: [...messages] }, response: answer({ content: null, tool_calls: [call] }) });
    messages.push({ role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: "call_w", content: '{"error":"too dark"}' });
    seeder.log({ ...common, at: at + 3000, request: { model: "gpt-4o", messages }, response: answer({ content: "I cannot see." }) });
    await seeder.flush();
    await until("both calls are stored", async () => {
      const found = await fetch(`${base}/v1/session/wire-tools`, { headers: { Authorization: `Bearer ${seeder.key}` } });
      return found.status === 200 && (await found.json()).data.calls.length === 2;
    });
    const page = await browser.open("/sessions/wire-tools?v=tree");
    const row = page.getByRole("treeitem").filter({ hasText: "look_around" });
    await row.waitFor();
    const text = await row.innerText();
    check(text.includes("too dark") && /≤ 2/.test(text), `it failed, and took two seconds at most: ${text}`);
    await row.click();
    await until("the call that asked is open", () => query(page, "s") !== null);
    await page.locator(".detail").getByText("look_around").first().waitFor();
    await page.keyboard.press("3");
    await page.locator(".timeline .bar.tool.asked").waitFor();
    await page.keyboard.press("4");
    const box = page.locator(".graph .box").filter({ hasText: "look_around" });
    await box.waitFor();
    check(/1 call · ≤ 2/.test(await box.innerText()), `the graph has it: ${await box.innerText()}`);
    await page.goto(`${base}/tools`);
    const tool = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "look_around" }) });
    await tool.waitFor();
    check(/100 ?%/.test(await tool.innerText()) && (await tool.innerText()).includes("error in result"), `it is counted: ${await tool.innerText()}`);
    await page.context().close();
  },

  async "a session: finding, narrowing by time, kind and agent"(browser) {
    const page = await browser.open(`/sessions/${first}?v=timeline`);
    await page.locator(".timeline .row").first().waitFor();
    const all = await page.locator(".timeline .row").count();
    await page.keyboard.press("/");
    await page.keyboard.type("hotel");
    await page.keyboard.press("Enter");
    await until("fewer steps are left", async () => {
      const n = await page.locator(".timeline .row").count();
      return query(page, "find") === "hotel" && n > 0 && n < all && (await page.locator(".hits").count()) === 1;
    });
    await page.keyboard.press("x");
    await until("all are there again", async () => (await page.locator(".timeline .row").count()) === all);
    await page.getByRole("button", { name: /Tool call|tool call/ }).first().click();
    await until("only tools", async () => query(page, "kind") === "tool" && (await page.locator(".timeline .bar.llm").count()) === 0);
    await page.keyboard.press("x");
    const box = await page.locator(".map canvas").boundingBox();
    await page.mouse.move(box.x + box.width * 0.1, box.y + 14);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.35, box.y + 14, { steps: 4 });
    await page.mouse.up();
    await until("a window is set", () => /^\d+-\d+$/.test(query(page, "w") ?? ""));
    check((await page.locator(".timeline .row").count()) < all, "the window narrows the list");
    await page.keyboard.press("0");
    await until("the whole again", () => query(page, "w") === null);
    await page.keyboard.press("4");
    await page.locator(".graph .box.agent").first().click();
    await until("an agent is kept to", () => query(page, "lane") !== null);
    await page.context().close();
  },

  async "a session grows while it is looked at"(browser, base) {
    const upstream = await provider();
    check((await proxied(base, upstream.url, { session: "live-one", name: "Live one", path: "/first" })) === 200, "the first call passed");
    const page = await browser.open("/sessions/live-one?v=timeline");
    await page.locator(".timeline .row").first().waitFor();
    const list = await browser.open("/sessions");
    await list.getByText("live", { exact: true }).waitFor();
    const pending = proxied(base, upstream.url, { session: "live-one", name: "Live one", path: "/second", model: "gpt-4o-hold" });
    await page.locator(".timeline .bar.running").waitFor();
    await page.getByText("running", { exact: true }).first().waitFor();
    await list.locator(".row").filter({ hasText: "live-one" }).getByText("running").waitFor({ state: "attached" });
    upstream.release();
    check((await pending) === 200, "the held call passed");
    await until("it has ended here, too", async () => (await page.locator(".timeline .bar.running").count()) === 0 && (await page.locator(".timeline .row").count()) === 2);
    check((await proxied(base, upstream.url, { session: "live-one", name: "Live one", path: "/third", model: "gpt-4o-tool" })) === 200, "a call that asks for a tool passed");
    await page.locator(".timeline .bar.asked").waitFor();
    await page.locator(".timeline .row").filter({ hasText: "look_around" }).waitFor();
    await until("the totals follow", async () => /Steps\s*3/.test(await page.locator(".stats").innerText()));
    await list.keyboard.press("j");
    const chosen = await list.locator(".row.at a").getAttribute("href");
    check((await proxied(base, upstream.url, { session: "live-two", name: "Live two", path: "/" })) === 200, "another session began");
    await list.locator(".row").filter({ hasText: "live-two" }).waitFor();
    check((await list.locator(".row.at a").getAttribute("href")) === chosen, "the row that is chosen stays chosen");
    upstream.close();
    await page.context().close();
    await list.context().close();
  },

  async "a session whose only call still runs is there"(browser, base) {
    const upstream = await provider();
    const pending = proxied(base, upstream.url, { session: "live-first", name: "Live first", path: "/only", model: "gpt-4o-hold" });
    browser.expected.push("404");
    const list = await browser.open("/sessions");
    const begun = list.getByRole("list", { name: "Sessions whose first calls still run" });
    await begun.getByRole("link", { name: "Live first" }).waitFor();
    check(/1 first call running/.test(await begun.innerText()), "the list tells that it began");
    const page = await browser.open("/sessions/live-first?v=timeline");
    await page.locator(".timeline .bar.running").waitFor();
    check((await page.getByRole("alert").count()) === 0, "it is no fault");
    upstream.release();
    check((await pending) === 200, "the call passed");
    await list.locator(".row").filter({ hasText: "Live first" }).waitFor();
    await begun.waitFor({ state: "detached" });
    await list.context().close();
    await page.getByRole("heading", { name: "Live first" }).waitFor();
    await until("it has ended, and that is all", async () => (await page.locator(".timeline .bar:not(.running)").count()) === 1 && (await page.getByText("are coming").count()) === 0);
    check((await page.locator("button.fresh").count()) === 0, "its end is no new step");
    browser.expected.pop();
    upstream.close();
    await page.context().close();
  },

  async "what has no known price is no zero"(browser, base) {
    const seeder = new Seeder(base);
    const answer = { choices: [{ message: { role: "assistant", content: "Hi." }, finish_reason: "stop" }], usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } };
    seeder.log({ session: "no-price", name: "No price", path: "/own/model", route: "/oai/v1/log", at: Date.now() - 5000, ms: 100, request: { model: "our-own-7b", messages: [{ role: "user", content: "Hi" }] }, response: answer });
    await seeder.flush();
    const page = await browser.open("/sessions?q=id%3Ano-price");
    const row = page.locator(".row").filter({ hasText: "no-price" });
    await until("it is listed", async () => {
      if (await row.count()) return true;
      await page.keyboard.press("r");
      return false;
    });
    check((await row.locator(".cost").innerText()) === "–", "the list shows a dash");
    await row.getByRole("link").click();
    await until("so does the session", async () => /Cost\s*– 1 unpriced/.test(await page.locator(".stats").innerText()));
    await page.context().close();
  },

  async "requests: a call beside the list, failed ones only, outside of sessions"(browser) {
    const page = await browser.open("/requests");
    await page.getByRole("row").nth(3).waitFor();
    await page.keyboard.press("j");
    await page.locator(".detail").waitFor();
    const id = query(page, "s");
    await page.keyboard.press("e");
    await until("only failed calls", async () => query(page, "q") === "error:true" && (await page.locator(".row:not(.heads) .why:not(.bad)").count()) === 0);
    await page.goto(`${new URL(page.url()).origin}/requests/${id}`);
    await page.locator(".detail").waitFor();
    await page.getByRole("tab", { name: "Facts", exact: true }).click();
    await page.getByText(id).first().waitFor();
    browser.expected.push("404");
    await page.goto(`${new URL(page.url()).origin}/requests/01a20000-0000-7000-8000-000000000000`);
    await page.getByRole("heading", { name: "No such call" }).waitFor();
    check((await page.getByRole("tab").count()) === 0, "of a call that is not there nothing is shown");
    browser.expected.pop();
    await page.context().close();
  },

  async "paths: the way down, and two versions side by side"(browser) {
    const page = await browser.open("/paths");
    const box = page.locator(".icicle .box").nth(1);
    await box.waitFor();
    await box.click();
    await until("the address has the path", () => (query(page, "at") ?? "").startsWith("/"));
    await page.keyboard.press("u");
    await until("one level up", () => query(page, "at") === null);
    await page.getByRole("button", { name: "Compare by a property" }).click();
    await page.getByRole("button", { name: /^agent-version$/i }).click();
    await until("two values are compared", () => query(page, "a") === "v1.0" && query(page, "b") === "v1.1");
    await page.getByRole("heading", { name: /What moved most/ }).waitFor();
    await page.getByRole("columnheader", { name: "B − A" }).waitFor();
    await page.context().close();
  },

  async "colours are chosen by hand, and stay"(browser) {
    const page = await browser.open("/sessions");
    await page.getByRole("row").nth(1).waitFor();
    await page.keyboard.press("L");
    const dark = () => page.evaluate(() => /rgb\((\d+)/.exec(getComputedStyle(document.body).backgroundColor)[1] < 128);
    check(await dark(), "a key makes it dark");
    await page.reload();
    await page.getByRole("row").nth(1).waitFor();
    check(await dark(), "and it stays dark");
    await page.context().close();
  },

  async "settings: a name and a time to keep"(browser) {
    const page = await browser.open("/settings?tab=organisation");
    await page.getByLabel("Name").fill("Acme Travel");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText("Renamed").waitFor();
    check((await page.locator(".org").innerText()) === "Acme Travel", "the new name is shown");
    await page.getByRole("tab", { name: "Retention" }).click();
    await page.getByLabel(/Keep calls for/).fill("90");
    await page.getByLabel(/Keep their bodies for/).fill("120");
    await page.getByText("Bodies cannot be kept longer").waitFor();
    await page.getByLabel(/Keep their bodies for/).fill("30");
    await page.getByRole("button", { name: "Save …" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Change" }).click();
    await page.getByText(/^Saved\./).waitFor();
    await page.reload();
    await until("it was kept", async () => (await page.getByLabel(/Keep calls for/).inputValue()) === "90");
    await page.context().close();
  },

  async "by the keyboard alone: from the address bar into a step"(browser) {
    const page = await browser.open("/sessions");
    await page.getByRole("row").nth(3).waitFor();
    await page.keyboard.press("Tab");
    check((await page.evaluate(() => document.activeElement.textContent)) === "Skip to content", "the first stop skips the navigation");
    await page.keyboard.press("Enter");
    check((await page.evaluate(() => document.activeElement.id)) === "main", "and goes to the content");
    for (let n = 0; n < 30; n++) {
      await page.keyboard.press("Tab");
      const on = await page.evaluate(() => {
        const node = document.activeElement;
        const name = node.getAttribute("aria-label") || node.textContent?.trim() || node.getAttribute("placeholder") || node.labels?.[0]?.textContent;
        return { name, seen: node.matches(":focus-visible"), tag: node.tagName };
      });
      check(on.tag === "BODY" || (on.name && on.seen), `each stop has a name and shows: ${JSON.stringify(on)}`);
    }
    const time = page.getByRole("button", { name: /^Time range/ });
    await time.focus();
    await page.keyboard.press("Enter");
    await until("the range in force has the focus", async () => (await page.evaluate(() => document.activeElement.textContent.trim())) === "Last 7 days");
    check(/^\d{4}-/.test(await page.getByLabel("From").inputValue()), "the fields begin with it");
    await page.getByRole("button", { name: "Show this range" }).focus();
    await page.keyboard.press("Tab");
    await until("leaving a menu closes it", async () => (await page.locator(".panel").count()) === 0);
    await page.setViewportSize(NARROW);
    await page.getByRole("button", { name: "Menu", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".side.open").waitFor();
    await page.keyboard.press("Escape");
    await until("Escape closes the pages", async () => (await page.locator(".side.open").count()) === 0);
    check((await page.evaluate(() => document.activeElement.getAttribute("aria-label"))) === "Menu", "and the focus is where it was");
    await page.context().close();
  },
});
