import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** Where `vite dev` finds a gateway. */
const gateway = process.env["TRAILGATE_URL"] ?? "http://127.0.0.1:8787";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2022",
    // The policy that the page is served under forbids `data:` and inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // `web/dist/.gitignore` is committed.
    emptyOutDir: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: {
    proxy: {
      "/v1": { target: gateway, changeOrigin: false },
      "/openapi.json": gateway,
      "/healthz": gateway,
      "/readyz": gateway,
      "/login": gateway,
    },
  },
});
