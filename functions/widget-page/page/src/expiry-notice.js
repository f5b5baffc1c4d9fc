// Notice that the session is about to end, with a button that extends it (WCAG 2.2, 2.2.1 "Timing Adjustable"). It overlays
// the end of the page, is always in view, is announced, and does not take the focus.

import { plural } from "./plural.js";
import { select } from "./select.js";

// Minutes before the end at which the notice appears, and that an extension adds.
const WARNING = 2;
const EXTENSION = 15;

/** @typedef {"extended" | "exhausted" | "failed" | "over"} ExtensionResult `over`: the page shows that the session ended */

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 * @param {() => Promise<ExtensionResult>} extend
 */
export function createExpiryNotice(document, texts, announce, extend) {
  const notice = select(document, "#expiring", HTMLElement);
  const info = select(notice, "p", HTMLElement);
  const button = select(notice, "button", HTMLButtonElement);
  const language = document.documentElement.lang;
  let isAsking = false;

  /** @param {string} message */
  function showAndAnnounce(message) {
    info.textContent = message;
    announce(message);
  }

  function hide() {
    // Hiding the focused element would send keyboard users to the top of the document.
    const heading = notice.contains(document.activeElement) && document.querySelector("[data-screen]:not([hidden]) h1");
    notice.hidden = true;
    if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
  }

  button.addEventListener("click", async () => {
    if (isAsking) return;
    isAsking = true;
    const extended = await extend();
    isAsking = false;
    if (extended === "extended") announce(plural(texts.expiring.extended, "minutes", EXTENSION, language));
    if (extended === "exhausted") button.hidden = true;
    if (extended === "failed") showAndAnnounce(texts.expiring.failed);
  });

  return {
    hide,
    /** Shows the notice. @param {boolean} soon less than two minutes left @param {boolean} extensible */
    warn(soon, extensible) {
      const message = soon ? texts.expiring.soon : plural(texts.expiring.info, "minutes", WARNING, language);
      button.hidden = !extensible;
      notice.hidden = false;
      info.textContent = message;
      announce(extensible ? `${message} ${texts.expiring.extend}` : message);
    },
  };
}
