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
    // Few files: what most pages are made of comes with the first script, in one piece, and so does every style. A page's own
    // script is the one request that is left.
    cssCodeSplit: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: { codeSplitting: { groups: [{ name: "common", test: /[\\/]src[\\/](components[\\/][^\\/]+$|lib[\\/])|[\\/]svelte[\\/]/ }] } },
    },
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
