// Bundles embed.js and its types into `../../embed/released/<version>/`, which is committed and served for good.
// A version in `../../embed/released.json` never changes; `--release` adds this one to it. With `--check` nothing is written.

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { VERSION } from "./version.js";

// Below 3 KB.
const BUDGET = 3 * 1024 - 1;
const target = ["chrome100", "edge100", "firefox100", "safari15"];
const released = new URL("../../embed/", import.meta.url);
const folder = new URL(`released/${VERSION}/`, released);
const list = new URL("released.json", released);

const { values: options } = parseArgs({ options: { check: { type: "boolean" }, release: { type: "boolean" } } });

/** @param {Uint8Array} bytes */
const integrityOf = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;

/** @param {string} reason @returns {never} */
function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const { outputFiles } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ["embed.js"],
  bundle: true,
  minify: true,
  format: "iife",
  charset: "utf8",
  legalComments: "none",
  target,
  write: false,
});
const script = outputFiles[0]?.contents ?? fail("esbuild built nothing");
const types = await readFile(new URL("types.d.ts", import.meta.url));
/** @type {Record<string, Uint8Array>} */
const files = { "embed.js": script, "embed.d.ts": types };

const size = gzipSync(script, { level: 9 }).length;
console.log(`embed.js ${VERSION}   ${script.length} B  ${size} B gzip of ${BUDGET} B`);
if (size > BUDGET) fail("embed.js exceeds its size budget");

/** @type {Record<string, Record<string, string>>} */
const known = JSON.parse(await readFile(list, "utf8"));
const integrity = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, integrityOf(bytes)]));
const before = known[VERSION];
const isKnown = before !== undefined && Object.keys(integrity).every((name) => before[name] === integrity[name]);
if (before !== undefined && !isKnown) {
  fail(`embed.js ${VERSION} is released and never changes: raise VERSION in version.js, build and release that one`);
}
if (options.check && !isKnown) fail(`embed.js ${VERSION} is not released: run \`node embed/build.js --release\` and commit`);

for (const [version, hashes] of Object.entries(known)) {
  for (const [name, hash] of Object.entries(hashes)) {
    const bytes = await readFile(new URL(`released/${version}/${name}`, released)).catch(() => fail(`${version}/${name} is missing`));
    if (integrityOf(bytes) !== hash) fail(`${version}/${name} was changed after its release`);
  }
}
if (!options.check) {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(new URL(name, folder), bytes);
  if (options.release) await writeFile(list, `${JSON.stringify({ ...known, [VERSION]: integrity }, null, 2)}\n`);
}
