// A message under a field, tied to it for screen readers.

/** @typedef {ReturnType<typeof createFieldError>} FieldError */

/** @param {HTMLInputElement} input whose message is the element `#<id of the input>-error` @param {Document} document */
export function createFieldError(input, document) {
  const id = `${input.id}-error`;
  const line = /** @type {HTMLElement} */ (document.getElementById(id));
  return {
    get shown() {
      return !line.hidden;
    },
    /** @param {string} message */
    show(message) {
      line.textContent = message;
      line.hidden = false;
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", id);
    },
    clear() {
      line.hidden = true;
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    },
  };
}
