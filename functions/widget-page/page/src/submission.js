// One attempt to enroll, replace or remove: its key and its body are made once, so that a repeat sends the very same
// request and the very same encrypted pair.

import { ACTIONS } from "./actions.js";
import { toBase64 } from "./base64.js";

/**
 * @typedef {{ idempotencyKey: string, body: string, last4: string }} Submission `last4` of the card that it is about
 * @typedef {{ oldCard?: import("./wire.js").CardOnFile, digits?: string,
 *   personal: Partial<Record<import("./wire.js").PersonalField, string>>,
 *   consents: import("./wire.js").Consent[] }} Entered what the form asked for, and no more
 */

/**
 * @param {Entered} entered
 * @param {import("./wire.js").FormDescription} description of the form
 * @returns {Promise<Submission>}
 */
export async function makeSubmission(entered, description) {
  const idempotencyKey = toBase64(crypto.getRandomValues(new Uint8Array(24)));
  const body = JSON.stringify(await ACTIONS[description.action].body(entered, description));
  return { idempotencyKey, body, last4: lastFour(entered) };
}

/** @param {Entered} entered @returns {string} of the new card, or else of the one that goes */
export function lastFour({ digits, oldCard }) {
  return digits?.slice(-4) ?? oldCard?.last4 ?? "";
}
