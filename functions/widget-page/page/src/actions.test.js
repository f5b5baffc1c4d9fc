import assert from "node:assert/strict";
import { test } from "node:test";
import { isActionCode } from "./actions.js";

test("an action is one of the three, and nothing that an object has by itself", () => {
  for (const code of ["N", "R", "C"]) assert(isActionCode(code), code);
  for (const code of ["P", "n", "", null, undefined, "toString", ["N"]]) assert(!isActionCode(code), String(code));
});
