// Actions that a session can be for (`docs/sources.md#widget`, `actionCode`). Each action is a module behind one
// interface: a new action is a file in `actions/`, an entry below, and its code and description in `wire.js`.

import { enrollment } from "./actions/enrollment.js";
import { optOut } from "./actions/opt-out.js";
import { replacement } from "./actions/replacement.js";

/**
 * @typedef {import("./wire.js").FormDescription} FormDescription
 * @typedef {import("./reason.js").Reason} Reason
 *
 * @typedef {object} Action
 * @property {string} path path below the API's base
 * @property {Extract<import("./wire.js").Status, `ERROR_${string}`>} errorStatus status of a failed attempt
 * @property {boolean} isDestructive the confirm button warns, and names the chosen card
 * @property {(texts: import("./configuration.js").Texts) => ActionTexts} texts texts of the form and of what follows it
 * @property {(texts: import("./configuration.js").Texts) => FailureTexts} failureTexts texts that replace the shared ones
 * @property {(statusCode: string | undefined, attemptsLeft: number) => Reason} reasonOf reason behind a status code of MRS;
 *   another attempt means that there may be other cards
 * @property {Parts["parts"]} parts
 * @property {Parts["body"]} body
 *
 * @typedef {{ title: string, lead: string, cards: string, cardNumber: string, confirm: string, keep: string,
 *   waiting: string, success: string }} ActionTexts `keep`: of the button that changes nothing; empty without one
 * @typedef {{ titles?: Partial<Record<Reason, string>>, infos: Partial<Record<Reason, string>> }} FailureTexts
 *
 * @typedef {object} FormParts what a form consists of
 * @property {import("./wire.js").CardOnFile[]} cards cards to choose from; empty where none is asked for
 * @property {import("./wire.js").NewCardDescription} [newCard] absent where no card number is asked for
 * @property {string} [readMoreUrl] address about the program, for a card that does not belong to it
 */

/**
 * Methods, because each module takes the description of its own action only.
 *
 * @typedef {{ parts(description: FormDescription): FormParts,
 *   body(entered: import("./submission.js").Entered, description: FormDescription): Promise<object> }} Parts
 */

/** @typedef {import("./wire.js").ActionCode} ActionCode */

/** @type {Record<ActionCode, Action>} */
export const ACTIONS = { N: enrollment, R: replacement, C: optOut };

/** @param {unknown} code @returns {code is ActionCode} */
export function isActionCode(code) {
  return typeof code === "string" && Object.hasOwn(ACTIONS, code);
}

/** @param {FormDescription} description @returns {FormParts} */
export function partsOf(description) {
  return ACTIONS[description.action].parts(description);
}
