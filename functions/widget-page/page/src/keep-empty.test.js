import assert from "node:assert/strict";
import { test } from "node:test";
import { keepEmpty } from "./keep-empty.js";

function open() {
  let emptied = 0;
  let forgotten = 0;
  let reloaded = 0;
  const window = /** @type {any} */ (Object.assign(new EventTarget(), { location: { reload: () => (reloaded += 1) } }));
  keepEmpty(window, { clear: () => (emptied += 1), reset: () => (forgotten += 1) });
  const happen = (/** @type {string} */ type, more = {}) => window.dispatchEvent(Object.assign(new Event(type), more));
  return { happen, emptied: () => emptied, forgotten: () => forgotten, reloaded: () => reloaded };
}

test("values restored by the parser are cleared", () => {
  assert.equal(open().emptied(), 1);
});

test("values restored after the load are cleared", () => {
  const { happen, emptied } = open();
  happen("pageshow", { persisted: false });
  assert.equal(emptied(), 2);
});

test("values typed before the load are kept", () => {
  const { happen, emptied } = open();
  happen("keydown");
  happen("pageshow", { persisted: false });
  assert.equal(emptied(), 1);
});

test("leaving the page clears the entries", () => {
  const { happen, forgotten } = open();
  happen("pagehide");
  assert.equal(forgotten(), 1);
});

test("a page from the back/forward cache is reloaded", () => {
  const { happen, reloaded } = open();
  happen("pageshow", { persisted: true });
  assert.equal(reloaded(), 1);
});
