// A gateway of one's own, for programs that no test starts: screenshots and figures.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "./browser.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** `TRAILGATE_BIN`, else target/release/trailgate, with a data folder of its own, until `stop()`. */
export async function gateway(env = {}) {
  const data = mkdtempSync(join(tmpdir(), "trailgate-shown-"));
  const binary = process.env.TRAILGATE_BIN ?? join(root, "target/release/trailgate");
  const child = spawn(binary, ["serve"], { env: { TRAILGATE_SERVER_LISTEN: "127.0.0.1:0", TRAILGATE_DATA_DIR: data, TRAILGATE_LOG_FILTER: "warn", ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((found, failed) => {
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`${binary} ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, address] = /listening on (\S+)/.exec(line) ?? [];
      if (address) found(address.replace(/\/$/, ""));
    });
  });
  await until("the gateway is ready", async () => (await fetch(`${url}/readyz`)).ok);
  const stop = async () => {
    child.removeAllListeners("exit");
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { url, stop };
}
