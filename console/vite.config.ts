import { defineConfig } from "vitest/config";

// `make console` builds the page into the server, which serves it below /console/. `make test-console` tests it.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../server/http/console",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { proxy: { "/headwater.v1": "http://localhost:50052", "/metrics": "http://localhost:50052" } },
  test: { include: ["test/**/*.test.ts"], environment: "node", testTimeout: 60_000, hookTimeout: 90_000, bail: 1 },
});
