import assert from "node:assert/strict";
import { test } from "node:test";
import { fits, isWithin } from "./digit-range.js";

test("both ends belong to the range", () => {
  for (const digits of ["523400", "523450", "523499", "5234990000000000"]) assert(isWithin(digits, "523400", "523499"));
  for (const digits of ["523399", "523500", "423400"]) assert(!isWithin(digits, "523400", "523499"));
});

test("a prefix may fit but is not within", () => {
  for (const digits of ["", "5", "5234", "52349"]) {
    assert(fits(digits, "523400", "523499"));
    assert(!isWithin(digits, "523400", "523499"));
  }
  for (const digits of ["4", "524", "52350"]) assert(!fits(digits, "523400", "523499"));
});

test("a range fits the leading digits between its ends", () => {
  for (const digits of ["2", "22", "25", "27", "272"]) assert(fits(digits, "2221", "2720"));
  for (const digits of ["21", "28", "273", "2220"]) assert(!fits(digits, "2221", "2720"));
});
