// Keeps what one customer entered from the next one who uses the tab or frame. Browsers put values back into a form: after
// a reload (Firefox), from the session history, from the back/forward cache, on restoring a closed tab.

/**
 * @param {Window} window @param {Pick<import("./form.js").Form, "empty" | "forget">} form
 */
export function keepEmpty(window, form) {
  let touched = false;
  for (const type of ["pointerdown", "keydown"]) {
    window.addEventListener(type, () => (touched = true), { capture: true, once: true });
  }

  // By now the document is parsed: its parser has put back what it will.
  form.empty();
  window.addEventListener("pageshow", ({ persisted }) => {
    // Out of the back/forward cache: what there is to show may have changed since.
    if (persisted) return window.location.reload();
    // A tab that was closed gets its values back when it has loaded.
    if (!touched) form.empty();
  });
  window.addEventListener("pagehide", () => form.forget());
}
