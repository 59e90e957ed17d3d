import { defineConfig } from "vite";

// `make console` builds the page into the server, which serves it below /console/.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../server/http/console",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/headwater.v1": "http://localhost:50052", "/metrics": "http://localhost:50052" } },
});
