import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";
import { Window } from "happy-dom";

const SERVICE = "https://enroll.example";
const url = `${SERVICE}/widget/bank/?lang=en#${"s".repeat(43)}`;

const window = new Window({ url: "https://bank.example/", settings: { disableIframePageLoading: true } });
const document = /** @type {any} */ (window.document);
Object.defineProperty(document, "currentScript", { value: { src: `${SERVICE}/widget/embed/1.0.0/embed.js` } });
const page = new EventTarget();
/** @type {string[]} */
const visited = [];
Object.assign(globalThis, {
  document,
  window,
  location: { assign: (/** @type {string} */ address) => visited.push(address) },
  addEventListener: page.addEventListener.bind(page),
  removeEventListener: page.removeEventListener.bind(page),
});
await import("./embed.js");

/** @param {Partial<CardEnrollment.Options>} options */
function open(options) {
  const opening = CardEnrollment.open({ url, ...options });
  /** @type {unknown[]} */
  const told = [];
  /** @type {string[]} */
  const completes = [];
  opening.then(({ status }) => told.push(status), (reason) => told.push(reason));
  opening.on("complete", ({ status }) => completes.push(status));
  return { opening, completes, told: async () => (await new Promise(setImmediate), told) };
}

/** @param {boolean} persisted */
function showPage(persisted) {
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
});

test("frame destroyed by a listener has the outcome", async () => {
  const { opening, told } = open({ target: document.body });
  opening.on("enrollmentEnded", () => opening.destroy());
  const frame = document.querySelector("iframe");
  const source = {};
  Object.defineProperty(frame, "contentWindow", { value: source });
  const data = { type: "enrollmentEnded", detail: { status: "SUCCESS_ENROLLMENT" } };
  window.dispatchEvent(Object.assign(new window.Event("message"), { source, origin: SERVICE, data }));
  assert.deepEqual(await told(), ["SUCCESS_ENROLLMENT"]);
  assert.equal(document.querySelector("iframe"), null);
});

describe("redirect", () => {
  test("customer who comes back closes it", async () => {
    const { told, completes } = open({ mode: "redirect" });
    assert.equal(visited.at(-1), url);
    // The first `pageshow` of this page itself.
    showPage(false);
    assert.deepEqual(await told(), []);
    showPage(true);
    mock.timers.tick(60_000);
    showPage(true);
    assert.deepEqual(await told(), ["CLOSED"]);
    assert.deepEqual(completes, ["CLOSED"]);
  });

  test("page that does not leave settles once", async () => {
    const { told, completes } = open({ mode: "redirect" });
    mock.timers.tick(8000);
    showPage(true);
    assert.deepEqual(await told(), ["NOT_LOADED"]);
    assert.deepEqual(completes, ["NOT_LOADED"]);
  });

  test("abort rejects an open one", async () => {
    const abort = new AbortController();
    const { told, completes } = open({ mode: "redirect", signal: abort.signal });
    abort.abort("left");
    mock.timers.tick(8000);
    showPage(true);
    assert.deepEqual(await told(), ["left"]);
    assert.deepEqual(completes, []);
  });
});
