// Configuration that the server rendered into the page, as a data block (never run as a script).

/**
 * @typedef {typeof import("../../../../shared/enrollment/src/texts/en.json")} Texts
 * @typedef {{ api: string, client: string, homeUrl?: string, origins: string[], texts: Texts,
 *   fallbacks: import("./text-language.js").Fallback[] }} Configuration
 *   `api`: base path of the API; `client`: name of the client, empty on the neutral page; `homeUrl`: the client's start page, for a
 *   page without a session; `origins`: origins that may embed the page; `texts`: in the customer's language; `fallbacks`: those that
 *   are not
 */

/** @param {Document} document @returns {Configuration} */
export function readConfiguration(document) {
  return JSON.parse(document.getElementById("configuration")?.textContent ?? "");
}
