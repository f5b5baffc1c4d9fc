// Consent to the terms or the privacy notice: a checkbox, and the document as a link or as expandable text.

import { createFieldError } from "./field-error.js";
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
  const link = select(field, "a", HTMLAnchorElement);
  const toggle = select(field, "button", HTMLButtonElement);
  const text = select(field, ".document", HTMLElement);
  const error = createFieldError(input, document);
  let version = "";

  input.addEventListener("change", () => {
    if (input.checked) error.clear();
  });
  toggle.addEventListener("click", () => {
    text.hidden = !text.hidden;
    toggle.setAttribute("aria-expanded", String(!text.hidden));
  });

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

      const url = consented?.url;
      link.hidden = !url || !/^https?:/i.test(url);
      if (url && !link.hidden) link.href = url;
      toggle.hidden = !consented?.text;
      text.textContent = consented?.text ?? "";
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
