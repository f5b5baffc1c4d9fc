import assert from "node:assert/strict";
import { test } from "node:test";
import { couldBecomeValid, isValid, passesLuhn, problemOf } from "./card-validity.js";

const program = [{ from: "523400", to: "523499" }];
const good = "5234000000000106";

test("Luhn accepts test numbers and refuses a changed digit", () => {
  for (const number of ["5555555555554444", "4111111111111111", "378282246310005", "6011111111111117", good]) {
    assert(passesLuhn(number), number);
    assert(!passesLuhn(number.slice(0, -1) + ((Number(number.at(-1)) + 1) % 10)), number);
  }
});

test("Luhn detects two swapped neighbors", () => {
  assert(!passesLuhn("5243000000000106"));
});

test("a number of the program is valid", () => {
  assert.equal(problemOf(good, program), undefined);
  assert(isValid(good, program));
});

test("prefixes of a valid number could become valid", () => {
  for (let length = 0; length < good.length; length += 1) {
    const digits = good.slice(0, length);
    assert(couldBecomeValid(digits, program), digits);
    assert(!isValid(digits, program), digits);
  }
  assert(couldBecomeValid(good, program));
});

test("a number is refused once it leaves the BIN ranges", () => {
  assert(couldBecomeValid("5234", program));
  assert(!couldBecomeValid("5235", program));
  assert(!couldBecomeValid("4", program));
  assert.equal(problemOf("5555555555554444", program), "other_program");
  assert.equal(problemOf("4", program), "other_program");
});

test("a program without ranges accepts any card", () => {
  assert(isValid("4111111111111111", []));
  assert(isValid("378282246310005", []));
});

test("each problem has its own name", () => {
  assert.equal(problemOf("", program), "missing");
  assert.equal(problemOf("523400", program), "short");
  assert.equal(problemOf(good.slice(0, 15), program), "short");
  assert.equal(problemOf(good + "0", program), "long");
  assert.equal(problemOf("5234000000000107", program), "wrong");
});

test("a complete number with a wrong check digit is final", () => {
  assert(!couldBecomeValid("5234000000000107", program));
  assert(!couldBecomeValid(good + "0", program));
});

test("a longer number of the brand may still become valid", () => {
  assert(couldBecomeValid("4111111111111112", []));
  assert(!couldBecomeValid("4111111111111111119".slice(0, 18) + "2", []));
});
