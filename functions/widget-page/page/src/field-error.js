// Error message of a field, associated with it for screen readers.

/** @typedef {ReturnType<typeof createFieldError>} FieldError */

/** @param {HTMLElement} field with its message in `#<id of the field>-error` @param {Document} document */
export function createFieldError(field, document) {
  const id = `${field.id}-error`;
  const line = /** @type {HTMLElement} */ (document.getElementById(id));
  return {
    get shown() {
      return !line.hidden;
    },
    /** @param {string} message */
    show(message) {
      line.textContent = message;
      line.hidden = false;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", id);
    },
    clear() {
      line.hidden = true;
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    },
  };
}
