import assert from "node:assert/strict";
import { test } from "node:test";
import { linkedWords } from "./linked-words.js";

test("words in brackets are linked", () => {
  const words = linkedWords("Akceptuję [Politykę prywatności] banku", "Polityka prywatności");
  assert.deepEqual(words, { before: "Akceptuję ", words: "Politykę prywatności", after: " banku" });
});

test("without brackets the title is linked", () => {
  const words = linkedWords("I accept the Terms.", "Terms");
  assert.deepEqual(words, { before: "I accept the ", words: "Terms", after: "." });
});

test("a title that the sentence lacks follows it", () => {
  const words = linkedWords("Akceptuję regulamin", "Terms");
  assert.deepEqual(words, { before: "Akceptuję regulamin ", words: "Terms", after: "" });
});
