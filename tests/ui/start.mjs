// A gateway without data: the lines to change, and the first call that turns the page into its session.
import { axe, check, NARROW, run, until } from "./browser.mjs";
import { provider, proxied } from "./seed.mjs";

await run({
  async "shows the lines to change, with this server in them"(browser, base) {
    const page = await browser.open("/");
    await page.getByRole("heading", { name: "Send the first call" }).waitFor();
    for (const language of ["Python", "TypeScript", "curl"]) {
      await page.getByRole("tab", { name: language }).click();
      const text = await page.locator("pre").innerText();
      check(text.includes(base), `${language} names ${base}`);
      check(text.includes("Helicone-Session-Id"), `${language} sets a session`);
    }
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    check(copied.startsWith("curl ") && !copied.includes("+ "), `what is copied can be run: ${copied}`);
    const violations = [...(await axe(page)), ...(await axe(await browser.open("/start", { viewport: NARROW, dark: true })))];
    check(violations.length === 0, `axe finds nothing: ${JSON.stringify(violations)}`);
    await page.context().close();
  },
  async "turns into the first session by itself"(browser, base) {
    const page = await browser.open("/");
    await page.getByText("Listening").waitFor();
    const upstream = await provider();
    const status = await proxied(base, upstream.url, { session: "first-steps", name: "First steps", path: "/hello" });
    check(status === 200, `the call passed: ${status}`);
    await until("the page is the session", () => new URL(page.url()).pathname === "/sessions/first-steps");
    await page.getByRole("heading", { name: "First steps" }).waitFor();
    await page.getByText("From the provider.").waitFor();
    upstream.close();
  },
});
