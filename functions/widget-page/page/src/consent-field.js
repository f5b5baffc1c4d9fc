// Consent to the terms or the privacy notice: a checkbox with one sentence, whose words for the document lead to it: as a
// link, or as a switch for a text on the page.

import { createFieldError } from "./field-error.js";
import { createLink, linkedWords } from "./linked-words.js";
import { select } from "./select.js";

/** @typedef {ReturnType<typeof createConsentField>} ConsentField */

/**
 * @param {import("./wire.js").DocumentName} name
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 */
export function createConsentField(name, document, texts) {
  const field = select(document, `[data-document=${name}]`, HTMLElement);
  const input = select(field, "input", HTMLInputElement);
  const sentence = select(field, ".sentence", HTMLElement);
  const text = select(field, ".document", HTMLElement);
  const error = createFieldError(input, document);
  let version = "";

  input.addEventListener("change", () => {
    if (input.checked) error.clear();
  });

  /** Words that lead to the document. @param {string} words @param {string | undefined} url @param {boolean} hasText */
  function lead(words, url, hasText) {
    if (url && /^https?:/i.test(url)) return createLink(document, words, url, texts.register.new_tab);
    if (!hasText) return words;
    // No `<button>`: a label must not contain another control of its kind.
    const toggle = document.createElement("a");
    toggle.setAttribute("role", "button");
    toggle.tabIndex = 0;
    toggle.textContent = words;
    toggle.setAttribute("aria-controls", text.id);
    toggle.setAttribute("aria-expanded", String(!text.hidden));
    /** @param {Event} event */
    const turn = (event) => {
      // The label would tick the box.
      event.preventDefault();
      text.hidden = !text.hidden;
      toggle.setAttribute("aria-expanded", String(!text.hidden));
    };
    toggle.addEventListener("click", turn);
    toggle.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") turn(event);
    });
    return toggle;
  }

  return {
    name,
    input,
    /**
     * @param {import("./wire.js").Presence} presence
     * @param {import("./wire.js").ConsentDocument | undefined} consented
     */
    prepare(presence, consented) {
      // Without a document there is nothing to consent to.
      field.hidden = presence === "hidden" || !consented;
      input.required = presence === "required";
      select(field, ".optional", HTMLElement).hidden = presence !== "optional";
      version = consented?.version ?? "";

      text.textContent = consented?.text ?? "";
      const { before, words, after } = linkedWords(texts.register[`accept_${name}`], texts.register[name]);
      sentence.replaceChildren(before, lead(words, consented?.url, Boolean(consented?.text)), after);
    },
    /** @returns {{ ok: boolean, consent?: import("./wire.js").Consent }} */
    read() {
      if (field.hidden) return { ok: true };
      if (input.checked) return { ok: true, consent: { document: name, version } };
      if (input.required) error.show(texts.validation[`${name}_missing`]);
      return { ok: !input.required };
    },
    clear() {
      input.checked = false;
      error.clear();
    },
    showRefusal() {
      error.show(texts.validation[`${name}_missing`]);
    },
  };
}
