// Motion: the stage below the header grows and shrinks with its content, and fields slide to their new places. Nothing jumps,
// the header stands still, and what moves by a transform is no layout shift.

const DURATION = 220;
const EASING = "cubic-bezier(0.2, 0, 0, 1)";
// Parts of the form that slide.
const PARTS = "#form > *";

/**
 * @param {HTMLElement} stage clips @param {HTMLElement} content of the stage
 * @param {Window & typeof globalThis} window
 */
export function createMotion(stage, content, window) {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  // In a frame the content has its final height at once, which `resize` reports: the host animates the frame, if it likes.
  const isFramed = window.parent !== window;
  /** @type {WeakMap<HTMLElement, number>} */
  const places = new WeakMap();
  let height = content.offsetHeight;
  let width = content.offsetWidth;
  /** @type {Animation | undefined} */
  let growth;

  /** @param {boolean} isMoving */
  function slide(isMoving) {
    for (const part of content.querySelectorAll(PARTS)) {
      if (!(part instanceof window.HTMLElement)) continue;
      // In the content's layout, without transforms; 0 while hidden.
      const place = part.offsetTop;
      const before = places.get(part);
      places.set(part, place);
      if (!isMoving || !before || !place || before === place) continue;
      part.animate([{ transform: `translateY(${before - place}px)` }, { transform: "none" }], { duration: DURATION, easing: EASING });
    }
  }

  // Runs after layout and before painting: a part has not been seen at its new place yet.
  new window.ResizeObserver(() => {
    const to = content.offsetHeight;
    const from = growth?.playState === "running" ? stage.offsetHeight : height;
    const isMoving = !still.matches && !window.document.hidden && content.offsetWidth === width && height !== to;
    [height, width] = [to, content.offsetWidth];
    slide(isMoving);
    if (!isMoving || isFramed) return;
    growth = stage.animate([{ height: `${from}px` }, { height: `${to}px` }], { duration: DURATION, easing: EASING });
  }).observe(content);
}
