// Bundles the page's sources into `dist/`, which is committed: `cargo build` needs neither Node nor the network.
// With `--check` nothing is written, and an outdated `dist/` is an error.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

// Browsers of the last four years; the stylesheet has the fallbacks for older ones.
const target = ["chrome100", "edge100", "firefox100", "safari15"];

const { outputFiles } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { "widget": "src/early.js", "widget.style": "src/widget.css", "icon": "src/icon.svg" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "iife",
  charset: "utf8",
  legalComments: "none",
  loader: { ".svg": "copy" },
  target,
  write: false,
});

const outdated = [];
await mkdir(new URL("dist/", import.meta.url), { recursive: true });
for (const { path, contents } of outputFiles) {
  const file = path.replace("widget.style.css", "widget.css");
  const present = await readFile(file).catch(() => undefined);
  if (present?.equals(contents)) continue;
  if (process.argv.includes("--check")) outdated.push(file);
  else await writeFile(file, contents);
}
if (outdated.length > 0) {
  console.error(`outdated, run \`npm run build\` and commit: ${outdated.join(", ")}`);
  process.exit(1);
}
