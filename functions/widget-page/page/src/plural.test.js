import assert from "node:assert/strict";
import { test } from "node:test";
import { plural } from "./plural.js";

const minutes = { one: "{minutes} minuta", few: "{minutes} minuty", many: "{minutes} minut", other: "{minutes} minuty" };

test("the form follows the language's rules", () => {
  assert.deepEqual(
    [1, 2, 5, 12, 22].map((count) => plural(minutes, "minutes", count, "pl")),
    ["1 minuta", "2 minuty", "5 minut", "12 minut", "22 minuty"],
  );
});

test("a missing form is the general one", () => {
  assert.equal(plural({ other: "{count} tries" }, "count", 1, "en"), "1 tries");
});
