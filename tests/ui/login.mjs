// Keys: the page that asks for one, making one, calling with it, revoking it, leaving.
import { axe, check, NARROW, run, until } from "./browser.mjs";

const KEY = process.env.HELICONE_API_KEY;
let page;

await run({
  async "asks for a key and says what is wrong with one"(browser) {
    browser.expected.push("401");
    page = await browser.open("/sessions");
    await page.getByRole("heading", { name: "Sign in to Trailgate" }).waitFor();
    const narrow = await browser.open("/login", { viewport: NARROW, dark: true });
    await narrow.getByRole("heading", { name: "Sign in to Trailgate" }).waitFor();
    const violations = [...(await axe(page)), ...(await axe(narrow))];
    check(violations.length === 0, `axe finds nothing: ${JSON.stringify(violations)}`);
    await page.getByLabel("Key", { exact: true }).fill("sk-helicone-wrong00-wrong00-wrong00-wrong00");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    check((await page.getByRole("alert").innerText()).includes("No key like this"), "the fault is said");
  },
  async "lets in with a key, and the address stays"() {
    await page.getByLabel("Key", { exact: true }).fill(KEY);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
    check(new URL(page.url()).pathname === "/sessions", "the page that was asked for is shown");
    const seen = await page.evaluate(() => [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join());
    check(!seen.includes(KEY) && !seen.includes("trailgate_session"), `scripts see no credential: ${seen}`);
  },
  async "makes a key, shows it once, and it works until it is revoked"(_, base) {
    await page.goto(`${base}/settings`);
    await page.getByLabel("Name").fill("made by a test");
    await page.getByLabel("May", { exact: false }).selectOption("r");
    await page.getByRole("button", { name: "Make a key" }).click();
    const secret = (await page.locator("[data-secret]").innerText()).trim();
    check(secret.startsWith("sk-"), `a key is shown: ${secret.slice(0, 3)}`);
    const ask = () => fetch(`${base}/v1/session/query`, { method: "POST", headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" }, body: "{}" }).then((answer) => answer.status);
    check((await ask()) === 200, "the key reads");
    await page.keyboard.press("Escape");
    await until("it is shown once", async () => (await page.locator("[data-secret]").count()) === 0);
    const row = page.getByRole("row", { name: /made by a test/ });
    check((await row.innerText()).includes("read"), "its right is listed");
    check(!(await page.locator("body").innerText()).includes(secret), "the secret is not in the list");
    const violations = await axe(page);
    check(violations.length === 0, `axe finds nothing: ${JSON.stringify(violations)}`);
    await row.getByRole("button", { name: /Revoke/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row", { name: /made by a test.*revoked/ }).waitFor();
    await until("the key is refused", async () => (await ask()) === 401);
  },
  async "signs out"(_, base) {
    await page.goto(`${base}/settings`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to Trailgate" }).waitFor();
    await page.goto(`${base}/sessions`);
    await page.getByRole("heading", { name: "Sign in to Trailgate" }).waitFor();
  },
});
