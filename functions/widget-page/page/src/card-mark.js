// Mark at the end of the card number field: a plain card, which becomes the mark of the number's brand, with a tick on a
// valid number. Mastercard and Maestro are drawn, other brands named.

import { select } from "./select.js";

/** @type {string[]} */
const DRAWN = ["mastercard", "maestro"];

/**
 * @param {HTMLElement} control with the field and its mark
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./announcements.js").Announce} announce
 */
export function createCardMark(control, texts, announce) {
  const name = select(control, ".brand-name", HTMLElement);
  /** @type {import("./card-brand.js").BrandName | undefined} */
  let shown;

  return {
    /** @param {import("./card-brand.js").BrandName | undefined} brand @param {boolean} isValid */
    show(brand, isValid) {
      control.classList.toggle("valid", isValid);
      if (brand === shown) return;
      shown = brand;
      const isDrawn = brand && DRAWN.includes(brand);
      if (isDrawn) control.dataset["brand"] = brand;
      else delete control.dataset["brand"];
      name.textContent = brand && !isDrawn ? texts.brand[brand] : "";
      control.classList.toggle("named", Boolean(brand) && !isDrawn);
      if (brand) announce(texts.brand[brand]);
    },
  };
}
