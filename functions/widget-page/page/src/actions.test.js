import assert from "node:assert/strict";
import { test } from "node:test";
import { isActionCode } from "./actions.js";

test("only the three action codes are actions", () => {
  for (const code of ["N", "R", "C"]) assert(isActionCode(code), code);
  for (const code of ["P", "n", "", null, undefined, "toString", ["N"]]) assert(!isActionCode(code), String(code));
});
