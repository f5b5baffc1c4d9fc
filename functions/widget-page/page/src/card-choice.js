// Choice of the card on file to replace or remove: radio buttons for several cards, plain text for a single one.

import { createFieldError } from "./field-error.js";
import { select } from "./select.js";

/** @typedef {ReturnType<typeof createCardChoice>} CardChoice */

/**
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {(card: import("./wire.js").CardOnFile | undefined) => void} onChoice
 */
export function createCardChoice(document, texts, onChoice) {
  const field = select(document, "#old-card", HTMLElement);
  const list = select(field, ".cards", HTMLElement);
  const error = createFieldError(field, document);

  /** @type {import("./wire.js").CardOnFile[]} */
  let cards = [];
  /** @type {HTMLInputElement[]} */
  let radios = [];
  /** @type {import("./wire.js").CardOnFile | undefined} */
  let chosen;

  /** @param {import("./wire.js").CardOnFile | undefined} card */
  function choose(card) {
    chosen = card;
    if (card) error.clear();
    onChoice(card);
  }

  /** @param {import("./wire.js").CardOnFile} card */
  function radio(card) {
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "oldCard";
    input.value = card.id;
    input.required = true;
    input.checked = card === chosen;
    input.addEventListener("change", () => choose(card));
    return input;
  }

  /** @param {string} className @param {string} text */
  function span(className, text = "") {
    const element = document.createElement("span");
    element.className = className;
    element.textContent = text;
    return element;
  }

  /** Picture of a card's design, or a plain card in its color. @param {import("./wire.js").CardOnFile} card */
  function artOf({ art, color }) {
    if (art) {
      const picture = document.createElement("img");
      picture.className = "art";
      picture.src = art;
      picture.alt = "";
      return picture;
    }
    const plain = span("art");
    if (color) plain.style.setProperty("--art", color);
    return plain;
  }

  /** @param {import("./wire.js").CardOnFile} card */
  function describe(card) {
    const masked = span("masked", card.masked);
    masked.dir = "ltr";
    // A row of X is noise in a screen reader.
    masked.setAttribute("aria-hidden", "true");
    const description = span("description");
    description.append(artOf(card), masked, span("visually-hidden", `${texts.success.card} ${card.last4}`));
    if (card.designCode) description.append(" ", span("design", card.designCode));
    return description;
  }

  return {
    /** Input that takes the focus; nothing without a choice. */
    get input() {
      return radios.find(({ checked }) => checked) ?? radios[0];
    },
    /** True while the customer has yet to choose. */
    get isUndecided() {
      return cards.length > 0 && !chosen;
    },
    /** @param {import("./wire.js").CardOnFile[]} offered none if the action has no choice; an earlier choice is kept */
    prepare(offered) {
      const before = chosen?.id;
      cards = offered;
      choose(cards.length === 1 ? cards[0] : cards.find(({ id }) => id === before));
      error.clear();
      field.hidden = cards.length === 0;
      if (cards.length > 1) field.setAttribute("role", "radiogroup");
      else field.removeAttribute("role");

      radios = cards.length > 1 ? cards.map(radio) : [];
      const rows = cards.map((card, index) => {
        const input = radios[index];
        const row = document.createElement(input ? "label" : "p");
        row.className = "on-file";
        if (input) row.append(input);
        row.append(describe(card));
        return row;
      });
      list.replaceChildren(...rows);
    },
    /** @returns {{ ok: boolean, card?: import("./wire.js").CardOnFile }} */
    read() {
      if (cards.length === 0) return { ok: true };
      if (chosen) return { ok: true, card: chosen };
      error.show(texts.validation.choice_missing);
      return { ok: false };
    },
    showRefusal() {
      error.show(texts.validation.choice_missing);
    },
  };
}

/** Reason for which the chosen card was not there. @param {number} attemptsLeft @returns {import("./reason.js").Reason} */
export function missingCardReason(attemptsLeft) {
  return attemptsLeft > 0 ? "card_gone" : "no_card";
}
