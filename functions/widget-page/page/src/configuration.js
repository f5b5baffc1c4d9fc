// What the server knew when it rendered the page, in a data block (never run as a script).

/**
 * @typedef {typeof import("../../../../shared/enrollment/src/texts/en.json")} Texts
 * @typedef {{ api: string, origins: string[], texts: Texts }} Configuration
 *   `api`: the base of the addresses to call; `origins`: those that may embed the page; `texts`: in the customer's language
 */

/** @param {Document} document @returns {Configuration} */
export function readConfiguration(document) {
  return JSON.parse(document.getElementById("configuration")?.textContent ?? "");
}
