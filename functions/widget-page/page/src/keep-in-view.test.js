import assert from "node:assert/strict";
import { test } from "node:test";
import { keepInView } from "./keep-in-view.js";

/** A frame of 1000 px, of which a part is in sight. */
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

test("the notice stands at the end of what is in sight, wherever that is", () => {
  const { page, moved } = framed();
  assert.equal(moved(), "translateY(-360px)");
  page.intersectionRect.bottom = 900.5;
  assert.equal(moved(), "translateY(-100px)");
  page.intersectionRect.bottom = 1000;
  assert.equal(moved(), "translateY(0px)");
});

test("where nothing of the page is in sight the notice stays at its end", () => {
  const { page, moved } = framed();
  page.isIntersecting = false;
  assert.equal(moved(), "translateY(0px)");
});

test("a notice that is not there costs nothing", () => {
  const { notice, moved } = framed();
  notice.hidden = true;
  assert.equal(moved(), "");
});
