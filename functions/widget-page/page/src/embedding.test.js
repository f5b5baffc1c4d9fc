import assert from "node:assert/strict";
import { test } from "node:test";
import { createDispatch } from "./embedding.js";

/** @param {{ framed: boolean, ancestorOrigins?: string[] }} situation */
function windowIn({ framed, ancestorOrigins }) {
  /** @type {{ message: any, origin: string }[]} */
  const posted = [];
  /** @type {CustomEvent[]} */
  const dispatched = [];
  const window = /** @type {any} */ ({
    CustomEvent,
    location: { ancestorOrigins },
    dispatchEvent: (/** @type {CustomEvent} */ event) => dispatched.push(event),
  });
  const postMessage = (/** @type {any} */ message, /** @type {string} */ origin) => posted.push({ message, origin });
  window.parent = framed ? { postMessage } : window;
  window.postMessage = postMessage;
  return { window, posted, dispatched };
}

const origins = ["https://shop.example", "https://bank.example"];

test("events are dispatched on the page's own window", () => {
  const { window, posted, dispatched } = windowIn({ framed: false });
  createDispatch(window, origins)("ready", {});
  assert.equal(dispatched[0]?.type, "ready");
  assert.deepEqual(posted, [], "a page that is not embedded posts nothing");
});

test("the embedding page gets events by its exact origin", () => {
  const { window, posted } = windowIn({ framed: true, ancestorOrigins: ["https://bank.example", "https://top.example"] });
  createDispatch(window, origins)("enrollmentEnded", { status: "TOKEN_EXPIRED" });
  const message = { type: "enrollmentEnded", detail: { status: "TOKEN_EXPIRED" } };
  assert.deepEqual(posted, [{ message, origin: "https://bank.example" }]);
});

test("an unregistered origin gets nothing", () => {
  const { window, posted } = windowIn({ framed: true, ancestorOrigins: ["https://evil.example"] });
  createDispatch(window, origins)("change", {});
  assert.deepEqual(posted, []);
});

test("a hidden embedding origin means all registered ones, never *", () => {
  for (const ancestorOrigins of [undefined, [], ["null"], ["null", "https://top.example"]]) {
    const { window, posted } = windowIn({ framed: true, ...(ancestorOrigins && { ancestorOrigins }) });
    createDispatch(window, origins)("change", { valid: false });
    assert.deepEqual(posted.map(({ origin }) => origin), origins);
  }
});
