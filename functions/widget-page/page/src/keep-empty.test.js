import assert from "node:assert/strict";
import { test } from "node:test";
import { keepEmpty } from "./keep-empty.js";

function open() {
  let emptied = 0;
  let forgotten = 0;
  let reloaded = 0;
  const window = /** @type {any} */ (Object.assign(new EventTarget(), { location: { reload: () => (reloaded += 1) } }));
  keepEmpty(window, { empty: () => (emptied += 1), forget: () => (forgotten += 1) });
  const happen = (/** @type {string} */ type, more = {}) => window.dispatchEvent(Object.assign(new Event(type), more));
  return { happen, emptied: () => emptied, forgotten: () => forgotten, reloaded: () => reloaded };
}

test("what the parser put back is emptied", () => {
  assert.equal(open().emptied(), 1);
});

test("what is put back after the load is emptied", () => {
  const { happen, emptied } = open();
  happen("pageshow", { persisted: false });
  assert.equal(emptied(), 2);
});

test("what the customer typed before the load is kept", () => {
  const { happen, emptied } = open();
  happen("keydown");
  happen("pageshow", { persisted: false });
  assert.equal(emptied(), 1);
});

test("leaving the page forgets what was entered", () => {
  const { happen, forgotten } = open();
  happen("pagehide");
  assert.equal(forgotten(), 1);
});

test("a page from the back/forward cache is loaded anew", () => {
  const { happen, reloaded } = open();
  happen("pageshow", { persisted: true });
  assert.equal(reloaded(), 1);
});
