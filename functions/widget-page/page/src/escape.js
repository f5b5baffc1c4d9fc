// Reports that Escape was pressed, for the modal of the embedding page: while the focus is in the frame, that page sees no key.

/** @param {Pick<Window, "addEventListener">} window @param {import("./embedding.js").Dispatch} dispatch */
export function reportEscape(window, dispatch) {
  window.addEventListener("keydown", (event) => {
    // 229: the key belongs to an input method, also where `isComposing` is false already (Safari).
    const isOfAnInputMethod = event.isComposing || event.keyCode === 229;
    if (event.key === "Escape" && !isOfAnInputMethod && !event.defaultPrevented) dispatch("escape", {});
  });
}
