// Tells how an interaction ended: `enrollmentEnded` to the embedding page (see `embedding.js`) and over the bridges of
// native WebViews. Source document 001, "Example JS event integration".

/** @typedef {{ postMessage(message: unknown): void }} Bridge */

/**
 * @param {import("./wire.js").EndedEvent} event
 * @param {import("./embedding.js").Tell} tell
 * @param {Window} window
 */
export function tellEnding(event, tell, window) {
  tell("enrollmentEnded", event);

  const bridges = /** @type {{ webkit?: { messageHandlers?: { enrollmentEnded?: Bridge } }, enrollmentEnded?: Bridge,
    ReactNativeWebView?: Bridge }} */ (/** @type {unknown} */ (window));
  // WKWebView turns an object into a dictionary. Android's interfaces take strings only; so does React Native, whose
  // one channel is shared by all kinds of messages, hence the type.
  post(() => bridges.webkit?.messageHandlers?.enrollmentEnded?.postMessage(event));
  post(() => bridges.enrollmentEnded?.postMessage(JSON.stringify(event)));
  post(() => bridges.ReactNativeWebView?.postMessage(JSON.stringify({ type: "enrollmentEnded", detail: event })));
}

/** @param {() => void} send */
function post(send) {
  try {
    send();
  } catch {
    // A broken bridge of the app must not keep the customer from seeing the outcome, nor the others from being told.
  }
}
