import assert from "node:assert/strict";
import { test } from "node:test";
import { keepInView } from "./keep-in-view.js";

/** Frame of 1000 px, partly visible. */
function framed() {
  const notice = { hidden: false, style: { transform: "" } };
  const page = { isIntersecting: true, intersectionRect: { bottom: 640 } };
  let tick = () => {};
  class IntersectionObserver {
    unobserve() {}
    /** @param {(entries: any[]) => void} tell */
    constructor(tell) {
      this.observe = () => tell([page]);
    }
  }
  const window = {
    IntersectionObserver,
    innerHeight: 1000,
    document: {},
    setInterval: (/** @type {() => void} */ act) => (tick = act),
  };
  keepInView(/** @type {any} */ (notice), /** @type {any} */ (window));
  const moved = () => (tick(), notice.style.transform);
  return { notice, page, moved };
}

test("the notice is at the end of the visible part", () => {
  const { page, moved } = framed();
  assert.equal(moved(), "translateY(-360px)");
  page.intersectionRect.bottom = 900.5;
  assert.equal(moved(), "translateY(-100px)");
  page.intersectionRect.bottom = 1000;
  assert.equal(moved(), "translateY(0px)");
});

test("without a visible part the notice stays at the end", () => {
  const { page, moved } = framed();
  page.isIntersecting = false;
  assert.equal(moved(), "translateY(0px)");
});

test("a hidden notice is not measured", () => {
  const { notice, moved } = framed();
  notice.hidden = true;
  assert.equal(moved(), "");
});
