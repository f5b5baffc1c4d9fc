// What a session is for (source document 001, `actionCode`): where it is asked for, how it fails.

/** @typedef {"N" | "R" | "C"} Action new registration, replacement, opt-out */

/** Under the API's base. */
export const PATHS = /** @type {const} */ ({ N: "enroll", R: "replace", C: "cancel" });

/** How the page tells a failure of its own. */
export const ERRORS = /** @type {const} */ ({ N: "ERROR_ENROLLMENT", R: "ERROR_REPLACEMENT", C: "ERROR_REMOVAL" });

/** @param {unknown} code @returns {code is Action} */
export function isAction(code) {
  return typeof code === "string" && Object.hasOwn(PATHS, code);
}
