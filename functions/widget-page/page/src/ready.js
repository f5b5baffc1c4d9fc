// Event `ready`, once. After the document's own load, so that embed.js can tell this document from the next one in its frame;
// a picture that does not come holds it up for a moment only.

// Milliseconds.
const LOAD_WITHIN = 5000;

/** @param {Window} window @param {import("./embedding.js").Dispatch} dispatch @returns {() => void} a screen says something */
export function createReady(window, dispatch) {
  let isAsked = false;
  let isTold = false;
  function tell() {
    if (isTold) return;
    isTold = true;
    dispatch("ready", {});
  }
  return () => {
    if (isAsked) return;
    isAsked = true;
    if (window.document.readyState === "complete") return tell();
    window.addEventListener("load", tell, { once: true });
    window.setTimeout(tell, LOAD_WITHIN);
  };
}
