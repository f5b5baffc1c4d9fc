// First name, last name or e-mail: hidden, optional or required, as the client configured it.

import { createFieldError } from "./field-error.js";
import { isUnusable, looksLikeCardNumber } from "./misplaced.js";
import { select } from "./select.js";

/** @typedef {ReturnType<typeof createPersonalField>} PersonalFieldOnPage */

const KEYS = /** @type {const} */ ({ firstName: "first_name", lastName: "last_name", email: "email" });
// Refuses only what cannot be an address; a page cannot tell whether one exists.
const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;

/**
 * @param {import("./wire.js").PersonalField} name
 * @param {Document} document
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./after-press.js").AfterPress} afterPress
 */
export function createPersonalField(name, document, texts, afterPress) {
  const field = select(document, `[data-field=${name}]`, HTMLElement);
  const input = select(field, "input", HTMLInputElement);
  const error = createFieldError(input, document);
  const key = KEYS[name];

  const misplaced = () => looksLikeCardNumber(input.value, name);

  /** @returns {string | undefined} the error message, if any */
  function problem() {
    const value = input.value.trim();
    if (!value) return input.required ? texts.validation[`${key}_missing`] : undefined;
    if (misplaced()) return texts.validation.misplaced_number;
    if (isUnusable(value)) return texts.validation.unusable_character;
    return name === "email" && !EMAIL.test(value) ? texts.validation.email_wrong : undefined;
  }

  input.addEventListener("blur", () =>
    afterPress(() => {
      const message = input.value.trim() && problem();
      if (message) error.show(message);
    }),
  );
  input.addEventListener("input", () => {
    // At once, before the customer fills in the next field.
    if (misplaced()) error.show(texts.validation.misplaced_number);
    else if (error.shown && !problem()) error.clear();
  });

  return {
    name,
    input,
    /** @param {import("./wire.js").Presence} presence */
    prepare(presence) {
      field.hidden = presence === "hidden";
      input.required = presence === "required";
      select(field, ".optional", HTMLElement).hidden = presence !== "optional";
    },
    /** @returns {{ ok: boolean, value?: string }} */
    read() {
      if (field.hidden) return { ok: true };
      const message = problem();
      if (message) error.show(message);
      else error.clear();
      const value = input.value.trim();
      return value ? { ok: !message, value } : { ok: !message };
    },
    clear() {
      input.value = "";
      error.clear();
    },
    showRefusal() {
      error.show(key === "email" ? texts.validation.email_wrong : texts.validation[`${key}_refused`]);
    },
  };
}
