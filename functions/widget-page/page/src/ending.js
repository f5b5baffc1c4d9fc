// Reports the end of an interaction: `enrollmentEnded` to the embedding page (`embedding.js`) and over the bridges of native
// WebViews. `docs/sources.md#widget`, "Example JS event integration".

/** @typedef {{ postMessage(message: unknown): void }} Bridge */

/**
 * @param {import("./wire.js").EndedEvent} event
 * @param {import("./embedding.js").Dispatch} dispatch
 * @param {Window} window
 * @param {boolean} isLast no further attempt is offered: embed.js settles its promise on `done`
 */
export function reportEnding(event, dispatch, window, isLast) {
  dispatch("enrollmentEnded", event);
  if (isLast) dispatch("done", {});

  const bridges = /** @type {{ webkit?: { messageHandlers?: { enrollmentEnded?: Bridge } }, enrollmentEnded?: Bridge,
    ReactNativeWebView?: Bridge }} */ (/** @type {unknown} */ (window));
  // WKWebView converts an object to a dictionary. Android and React Native accept strings only; React Native's single
  // channel carries all kinds of messages, hence the type.
  post(() => bridges.webkit?.messageHandlers?.enrollmentEnded?.postMessage(event));
  post(() => bridges.enrollmentEnded?.postMessage(JSON.stringify(event)));
  post(() => bridges.ReactNativeWebView?.postMessage(JSON.stringify({ type: "enrollmentEnded", detail: event })));
}

/** @param {() => void} send */
function post(send) {
  try {
    send();
  } catch {
    // A broken bridge must neither hide the outcome from the customer nor keep it from the other bridges.
  }
}
