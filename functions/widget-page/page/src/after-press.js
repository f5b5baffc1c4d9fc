// Delays layout changes while a pointer is down. A message that appears on blur moves the elements below it; a button there
// must not move between press and release, or the click is lost.

/** @typedef {(act: () => void) => void} AfterPress */

/**
 * @param {Document} document
 * @returns {AfterPress} runs `act` at once, or after the click if a pointer is down
 */
export function createAfterPress(document) {
  let isPressed = false;
  /** @type {(() => void)[]} */
  let waiting = [];
  const release = () => {
    isPressed = false;
    const acts = waiting;
    waiting = [];
    setTimeout(() => acts.forEach((act) => act()));
  };
  document.addEventListener("pointerdown", () => (isPressed = true), true);
  document.addEventListener("pointerup", release, true);
  document.addEventListener("pointercancel", release, true);
  return (act) => {
    if (isPressed) waiting.push(act);
    else act();
  };
}
