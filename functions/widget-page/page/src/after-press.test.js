import assert from "node:assert/strict";
import { test } from "node:test";
import { createAfterPress } from "./after-press.js";

function press() {
  const document = new EventTarget();
  return { document, afterPress: createAfterPress(/** @type {Document} */ (document)) };
}

test("without a press the act runs at once", () => {
  let done = false;
  press().afterPress(() => (done = true));
  assert(done);
});

test("during a press the act waits for the click", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const released of ["pointerup", "pointercancel"]) {
    const { document, afterPress } = press();
    let done = 0;
    document.dispatchEvent(new Event("pointerdown"));
    afterPress(() => (done += 1));
    document.dispatchEvent(new Event(released));
    assert.equal(done, 0);
    t.mock.timers.tick(1);
    assert.equal(done, 1);
  }
});
