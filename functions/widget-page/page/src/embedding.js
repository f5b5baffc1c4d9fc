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
 * The exact origins to post to, never `*`. Our own Referrer-Policy, or the partner's, may hide who embeds us; the
 * browser delivers a message only to a window of the named origin, so naming each registered one in turn is safe, and
 * only noisy in the console. Where the browser tells the embedding origin, that one alone is named.
 *
 * @param {Location} location @param {string[]} origins
 */
function receiversOf(location, origins) {
  const embedding = location.ancestorOrigins?.[0];
  return embedding ? origins.filter((origin) => origin === embedding) : origins;
}
