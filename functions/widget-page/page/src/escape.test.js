import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reportEscape } from "./escape.js";

describe("escape", () => {
  /** @param {Partial<KeyboardEvent>} event @returns {unknown[]} what was reported */
  function press(event) {
    /** @type {unknown[]} */
    const reported = [];
    const window = { addEventListener: (/** @type {string} */ _, /** @type {(event: any) => void} */ listen) => listen(event) };
    reportEscape(/** @type {any} */ (window), (...said) => reported.push(said));
    return reported;
  }

  test("is reported", () => {
    assert.deepEqual(press({ key: "Escape", isComposing: false, keyCode: 27 }), [["escape", {}]]);
  });

  for (const [name, event] of /** @type {[string, Partial<KeyboardEvent>][]} */ ([
    ["another key", { key: "e" }],
    ["key during a composition", { key: "Escape", isComposing: true, keyCode: 229 }],
    ["key that ended a composition", { key: "Escape", isComposing: false, keyCode: 229 }],
    ["key that was used", { key: "Escape", defaultPrevented: true }],
  ])) {
    test(`is not reported: ${name}`, () => {
      assert.deepEqual(press(event), []);
    });
  }
});
