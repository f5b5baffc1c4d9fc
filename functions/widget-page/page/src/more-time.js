// The notice that the session is about to end, with the button that extends it (WCAG 2.2, 2.2.1 "Timing Adjustable"). It
// lies over the end of the page, in sight wherever the customer is; it is announced, and takes nobody's focus.

import { select } from "./select.js";

/** @typedef {"extended" | "exhausted" | "failed" | "over"} Extended `over`: the page shows already that the session ended */

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 * @param {() => Promise<Extended>} extend
 */
export function createMoreTime(document, texts, announce, extend) {
  const notice = select(document, "#expiring", HTMLElement);
  const info = select(notice, "p", HTMLElement);
  const button = select(notice, "button", HTMLButtonElement);
  let asking = false;

  /** @param {string} message */
  function say(message) {
    info.textContent = message;
    announce(message);
  }

  function hide() {
    // A focus that vanished would leave a keyboard at the top of the document.
    const heading = notice.contains(document.activeElement) && document.querySelector("[data-screen]:not([hidden]) h1");
    notice.hidden = true;
    if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
  }

  button.addEventListener("click", async () => {
    if (asking) return;
    asking = true;
    const extended = await extend();
    asking = false;
    if (extended === "extended") announce(texts.expiring.extended);
    if (extended === "exhausted") button.hidden = true;
    if (extended === "failed") say(texts.expiring.failed);
  });

  return {
    hide,
    /** @param {boolean} soon less than two minutes are left @param {boolean} extensible */
    warn(soon, extensible) {
      const message = soon ? texts.expiring.soon : texts.expiring.info;
      button.hidden = !extensible;
      notice.hidden = false;
      info.textContent = message;
      announce(extensible ? `${message} ${texts.expiring.extend}` : message);
    },
  };
}
