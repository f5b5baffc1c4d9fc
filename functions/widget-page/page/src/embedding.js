// Events to whoever embeds the page: on `window` as a `CustomEvent`, and by `postMessage` to the embedding page.

/**
 * @typedef {"ready" | "change" | "resize" | "enrollmentEnded"} EventName
 * @typedef {(name: EventName, detail: Record<string, unknown>) => void} Tell
 */

/**
 * @param {Window & typeof globalThis} window
 * @param {string[]} origins those that may embed the page
 * @returns {Tell}
 */
export function createTell(window, origins) {
  const receivers = window.parent === window ? [] : receiversOf(window.location, origins);
  return (name, detail) => {
    window.dispatchEvent(new window.CustomEvent(name, { detail }));
    for (const origin of receivers) window.parent.postMessage({ type: name, detail }, origin);
  };
}

/**
 * The exact origins to post to, never `*`. Where the browser tells the embedding origin, that one alone is named, if it
 * is registered. Where it does not (no `ancestorOrigins`, or `"null"` in it for a frame with `referrerpolicy` `no-referrer`
 * or `same-origin`), each registered one is named in turn: the browser delivers a message only to a window of the named
 * origin, so that is safe, and only noisy in the console.
 *
 * @param {Location} location @param {string[]} origins
 */
function receiversOf(location, origins) {
  const embedding = location.ancestorOrigins?.[0];
  return embedding && embedding !== "null" ? origins.filter((origin) => origin === embedding) : origins;
}
