// Error message of a field, associated with it for screen readers. It takes the place of the field's hint, if it has one.

/** @typedef {ReturnType<typeof createFieldError>} FieldError */

/**
 * @param {HTMLElement} field with its message in `#<id of the field>-error`, and its hint in `#<id of the field>-hint`
 * @param {Document} document
 */
export function createFieldError(field, document) {
  const id = `${field.id}-error`;
  const line = /** @type {HTMLElement} */ (document.getElementById(id));
  const hint = document.getElementById(`${field.id}-hint`);

  /** @param {HTMLElement | null} description */
  function describeBy(description) {
    if (description) field.setAttribute("aria-describedby", description.id);
    else field.removeAttribute("aria-describedby");
  }

  return {
    get shown() {
      return !line.hidden;
    },
    /** @param {...(string | Node)} message */
    show(...message) {
      // One box beside the sign that CSS adds.
      const text = document.createElement("span");
      text.append(...message);
      line.replaceChildren(text);
      line.hidden = false;
      if (hint) hint.hidden = true;
      field.setAttribute("aria-invalid", "true");
      describeBy(line);
    },
    clear() {
      line.hidden = true;
      if (hint) hint.hidden = false;
      field.removeAttribute("aria-invalid");
      describeBy(hint);
    },
  };
}
