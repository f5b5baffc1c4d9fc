import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnusable, looksLikeCardNumber } from "./misplaced.js";

test("a number in a name is found in any script and grouping", () => {
  for (const value of ["5234000000000106", "5234 0000 0000 0106", "Ada 5234-0000/0000.0106", "٥٢٣٤٠٠٠٠٠٠٠٠٠١٠٦", "５２３４　００００　００００", "5a2b3c4d0e0f0g0h0i0j0k0l"]) {
    assert.equal(looksLikeCardNumber(value, "firstName"), true, value);
  }
  for (const value of ["Ada", "Louis XIV", "Ada 1815", "12345678901"]) {
    assert.equal(looksLikeCardNumber(value, "lastName"), false, value);
  }
});

test("a number in an email address needs a valid check digit", () => {
  for (const value of ["5234000000000106@bank.example", "ada.5234-0000-0000-0106@bank.example", "５２３４０００００００００１０６@bank.example", "5234 0000 0000 0106"]) {
    assert.equal(looksLikeCardNumber(value, "email"), true, value);
  }
  for (const value of ["8613812345678@mail.example", "5234000000000107@bank.example", "a1b2c3d4e5f6g7h8i9j0k1l2m3@x.example", "ada1815@mail.example"]) {
    assert.equal(looksLikeCardNumber(value, "email"), false, value);
  }
});

test("control characters and noncharacters are unusable", () => {
  for (const value of ["A\u0007da", "A\tda", "A\u0085da", "\ufffeAda", "Ada\uffff", "Ada\ud835", "\udfd8Ada", "\ufdd0", "\u{1fffe}"]) {
    assert.equal(isUnusable(value), true, JSON.stringify(value));
  }
  for (const value of ["Zoë", "李雷", "نجيب", "O’Neill-Smith", "🂡", "\ufffd"]) assert.equal(isUnusable(value), false, value);
});
