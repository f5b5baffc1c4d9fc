import assert from "node:assert/strict";
import { test } from "node:test";
import { brandOf, lengthsOf } from "./card-brand.js";

test("leading digits determine the brand", () => {
  const told = {
    "51": "mastercard", "5599": "mastercard", "2221": "mastercard", "2720": "mastercard",
    "4": "visa", "34": "amex", "37": "amex", "50": "maestro", "56": "maestro", "6304": "maestro", "67": "maestro",
    "6011": "discover", "644": "discover", "65": "discover", "300": "diners", "36": "diners", "3528": "jcb", "62": "unionpay",
  };
  for (const [digits, brand] of Object.entries(told)) assert.equal(brandOf(digits)?.name, brand, digits);
});

test("undecided digits have no brand", () => {
  for (const digits of ["", "5", "2", "22", "222", "2220", "2721", "3", "35", "60", "1", "9"]) {
    assert.equal(brandOf(digits), undefined, digits);
  }
});

test("the only possible brand limits the lengths", () => {
  assert.deepEqual(lengthsOf("51"), [16]);
  assert.deepEqual(lengthsOf("27"), [16]);
  assert.deepEqual(lengthsOf("34"), [15]);
  assert.equal(lengthsOf("5").at(-1), 19);
  assert.equal(lengthsOf("9").at(0), 12);
});
