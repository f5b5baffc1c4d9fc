// Prints the compressed size of the page, and fails above its budgets: for script and stylesheet, and for everything that a
// browser loads before it shows the form. The template and the English texts represent the rendered HTML.

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

/** Bytes, gzip. `docs/adr/0044-form-that-stays.md` says what the last increase paid for. */
const BUDGETS = { parts: 19 * 1024, all: 25 * 1024 };
const PARTS = ["dist/widget.js", "dist/widget.css"];
const HTML = ["../templates/page.html", "../../../shared/enrollment/src/texts/en.json"];

/** @param {string} name @param {string[]} paths */
async function sizeOf(name, paths) {
  const contents = await Promise.all(paths.map((path) => readFile(new URL(path, import.meta.url))));
  const bytes = Buffer.concat(contents);
  const size = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name.padEnd(28)} ${String(bytes.length).padStart(7)} B  ${String(size).padStart(6)} B gzip`);
  return size;
}

/** @param {string} name @param {number} size @param {number} budget */
function check(name, size, budget) {
  console.log(`${name.padEnd(28)} ${" ".repeat(9)}  ${String(size).padStart(6)} B gzip of ${budget} B`);
  if (size <= budget) return;
  console.error(`${name}: the page exceeds its size budget`);
  process.exitCode = 1;
}

let parts = 0;
for (const path of PARTS) parts += await sizeOf(path.replace("dist/", ""), [path]);
const html = await sizeOf("HTML (template and texts)", HTML);
check("script and stylesheet", parts, BUDGETS.parts);
check("together", parts + html, BUDGETS.all);
