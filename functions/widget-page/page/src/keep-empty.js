// Clears the form for the next customer in the same tab or frame. Browsers restore the values of a form after a reload
// (Firefox), from the session history, from the back/forward cache, and with a closed tab.

/**
 * @param {Window} window @param {Pick<import("./form.js").Form, "clear" | "reset">} form
 */
export function keepEmpty(window, form) {
  let isTouched = false;
  for (const type of ["pointerdown", "keydown"]) {
    window.addEventListener(type, () => (isTouched = true), { capture: true, once: true });
  }

  // The document is parsed: values restored by the parser are there.
  form.clear();
  window.addEventListener("pageshow", ({ persisted }) => {
    // From the back/forward cache: the session may have changed since.
    if (persisted) return window.location.reload();
    // A reopened tab restores its values after loading.
    if (!isTouched) form.clear();
  });
  window.addEventListener("pagehide", () => form.reset());
}
