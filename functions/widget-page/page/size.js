// Prints the compressed size of the page, and fails above the budget. The template and the English texts represent the
// rendered HTML.

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const BUDGET = 20 * 1024;
const FILES = {
  "widget.js": ["dist/widget.js"],
  "widget.css": ["dist/widget.css"],
  "HTML (template and texts)": ["../templates/page.html", "../../../shared/enrollment/src/texts/en.json"],
};

let total = 0;
for (const [name, paths] of Object.entries(FILES)) {
  const contents = await Promise.all(paths.map((path) => readFile(new URL(path, import.meta.url))));
  const bytes = Buffer.concat(contents);
  const size = gzipSync(bytes, { level: 9 }).length;
  total += size;
  console.log(`${name.padEnd(28)} ${String(bytes.length).padStart(7)} B  ${String(size).padStart(6)} B gzip`);
}
console.log(`${"together".padEnd(28)} ${" ".repeat(9)}  ${String(total).padStart(6)} B gzip of ${BUDGET} B`);
if (total > BUDGET) {
  console.error("the page exceeds its size budget");
  process.exit(1);
}
