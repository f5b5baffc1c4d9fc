// Events for the embedding page: a `CustomEvent` on `window`, and a message to the parent window.

/**
 * @typedef {"ready" | "change" | "focus" | "blur" | "resize" | "return" | "enrollmentEnded" | "done" | "escape"} EventName
 * @typedef {(name: EventName, detail: Record<string, unknown>) => void} Dispatch
 */

/**
 * @param {Window & typeof globalThis} window
 * @param {string[]} origins that may embed the page
 * @returns {Dispatch}
 */
export function createDispatch(window, origins) {
  const receivers = window.parent === window ? [] : receiversOf(window.location, origins);
  return (name, detail) => {
    window.dispatchEvent(new window.CustomEvent(name, { detail }));
    for (const origin of receivers) window.parent.postMessage({ type: name, detail }, origin);
  };
}

/**
 * Target origins for `postMessage`, never `*`. If the browser reveals the embedding origin, it is the only target, provided
 * that it is registered. Otherwise (no `ancestorOrigins`, or `"null"` for a frame with `referrerpolicy` `no-referrer` or
 * `same-origin`) every registered origin is a target: the browser delivers a message to a matching window only, so this is
 * safe, and merely noisy in the console.
 *
 * @param {Location} location @param {string[]} origins
 */
function receiversOf(location, origins) {
  const embedding = location.ancestorOrigins?.[0];
  return embedding && embedding !== "null" ? origins.filter((origin) => origin === embedding) : origins;
}
