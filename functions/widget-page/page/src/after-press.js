// A message that appears when a field is left moves what lies below it. If the field was left by pressing a button there,
// the button must not move away before the press has become a click.

/** @typedef {(act: () => void) => void} AfterPress */

/**
 * @param {Document} document
 * @returns {AfterPress} acts at once, or after the click where a pointer is down
 */
export function createAfterPress(document) {
  let pressed = false;
  /** @type {(() => void)[]} */
  let waiting = [];
  const release = () => {
    pressed = false;
    const acts = waiting;
    waiting = [];
    setTimeout(() => acts.forEach((act) => act()));
  };
  document.addEventListener("pointerdown", () => (pressed = true), true);
  document.addEventListener("pointerup", release, true);
  document.addEventListener("pointercancel", release, true);
  return (act) => {
    if (pressed) waiting.push(act);
    else act();
  };
}
