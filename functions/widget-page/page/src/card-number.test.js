import assert from "node:assert/strict";
import { test } from "node:test";
import { group, reformat } from "./card-number.js";

/**
 * Applies an edit to a value with a caret (`|`) as a browser does, then formats it as the field does.
 *
 * @param {string} marked @param {string} edit a text to insert, "Backspace" or "Delete"
 */
function after(marked, edit) {
  const at = marked.indexOf("|");
  const before = marked.replace("|", "");
  const [cutFrom, cutTo, inserted, inputType] =
    edit === "Backspace" ? [at - 1, at, "", "deleteContentBackward"]
    : edit === "Delete" ? [at, at + 1, "", "deleteContentForward"]
    : [at, at, edit, edit.length > 1 ? "insertFromPaste" : "insertText"];
  const value = before.slice(0, cutFrom) + inserted + before.slice(cutTo);
  const typed = reformat({ before, value, caret: cutFrom + inserted.length, inputType });
  return typed.value.slice(0, typed.caret) + "|" + typed.value.slice(typed.caret);
}

test("grouping follows the brand", () => {
  assert.equal(group("5234000000000123"), "5234 0000 0000 0123");
  assert.equal(group("378282246310005"), "3782 822463 10005");
  assert.equal(group("36700102000000"), "3670 010200 0000");
  assert.equal(group("5234"), "5234");
  assert.equal(group(""), "");
});

test("typing continues behind the space", () => {
  assert.equal(after("5234|", "0"), "5234 0|");
  assert.equal(after("523|", "4"), "5234|");
  assert.equal(after("523| 0000", "4"), "5234 |0000");
});

test("typing in the middle keeps the caret behind the digit", () => {
  assert.equal(after("52|34 0000", "9"), "529|3 4000 0");
  assert.equal(after("|5234", "4"), "4|523 4");
});

test("a number pasted with separators or text is accepted", () => {
  assert.equal(after("|", "5234-0000 0000.0123"), "5234 0000 0000 0123|");
  assert.equal(after("|", " card: 5234000000000123\n"), "5234 0000 0000 0123|");
  assert.equal(after("5234 |", "000000000123"), "5234 0000 0000 0123|");
});

test("deleting a space deletes the next digit", () => {
  assert.equal(after("5234 |0123", "Backspace"), "523|0 123");
  assert.equal(after("5234| 0123", "Delete"), "5234| 123");
});

test("deleting a digit keeps the caret", () => {
  assert.equal(after("5234 0|", "Backspace"), "5234|");
  assert.equal(after("52|34 0123", "Backspace"), "5|340 123");
  assert.equal(after("|5234 0123", "Delete"), "|2340 123");
  assert.equal(after("5|", "Backspace"), "|");
});

test("excess digits are kept", () => {
  assert.equal(reformat({ before: "", value: "1".repeat(30), caret: 30 }).digits.length, 30);
});

test("digits of other scripts become ASCII", () => {
  assert.equal(after("|", "٥٢٣٤ ۰۱۲۳ ５６７８"), "5234 0123 5678|");
});

test("letters are dropped", () => {
  assert.equal(after("5234|", "x"), "5234|");
});
