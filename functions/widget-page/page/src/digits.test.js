import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ZEROS, digitsOf } from "./digits.js";

test("digits of every script are found, and nothing else", () => {
  assert.equal(digitsOf("٥٢٣٤ ۰۱۲۳ ５６７８ 𝟘𝟙"), "52340123567801");
  assert.equal(digitsOf("a²½①Ⅷ一\ud835"), "");
});

test("the zeros are those of Unicode", () => {
  const zeros = [];
  for (let code = 0, run = 0; code <= 0x10ffff; code += 1) {
    const digit = /^\p{Nd}$/u.test(String.fromCodePoint(code));
    if (digit && run % 10 === 0) zeros.push(code);
    run = digit ? run + 1 : 0;
  }
  assert.deepEqual(ZEROS, zeros);
});

test("the server has the same zeros", () => {
  const source = readFileSync(new URL("../../../../shared/enrollment/src/digits.rs", import.meta.url), "utf8");
  const table = source.slice(source.indexOf("const ZEROS"), source.indexOf("];"));
  const zeros = [...table.matchAll(/0x[0-9A-F_]+/g)].map(([zero]) => Number(zero.replaceAll("_", "")));
  assert.deepEqual(zeros, ZEROS);
});
