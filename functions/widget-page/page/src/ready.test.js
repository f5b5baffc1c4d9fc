import assert from "node:assert/strict";
import { test } from "node:test";
import { createReady } from "./ready.js";

/** @param {DocumentReadyState} readyState */
function pageIn(readyState) {
  /** @type {string[]} */
  const told = [];
  const window = Object.assign(new EventTarget(), {
    document: { readyState },
    timers: /** @type {[() => void, number][]} */ ([]),
    setTimeout: (/** @type {() => void} */ act, /** @type {number} */ after) => window.timers.push([act, after]),
  });
  const ready = createReady(/** @type {any} */ (window), (name) => told.push(name));
  return { window, told, ready };
}

test("a loaded page is ready at once, and once", () => {
  const { told, ready } = pageIn("complete");
  ready();
  ready();
  assert.deepEqual(told, ["ready"]);
});

test("a page that loads is ready after its load", () => {
  const { window, told, ready } = pageIn("interactive");
  ready();
  ready();
  assert.deepEqual(told, []);
  window.dispatchEvent(new Event("load"));
  for (const [act] of window.timers) act();
  assert.deepEqual(told, ["ready"]);
});

test("a picture that does not come holds up nothing for long", () => {
  const { window, told, ready } = pageIn("interactive");
  ready();
  const [[act, after] = [() => {}, 0]] = window.timers;
  assert.equal(after, 5000);
  act();
  window.dispatchEvent(new Event("load"));
  assert.deepEqual(told, ["ready"]);
});
