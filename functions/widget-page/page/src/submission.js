// One attempt at an action. Its idempotency key and body are made once, so that a repeat sends the same request with the
// same encrypted pair.

import { ACTIONS } from "./actions.js";
import { toBase64 } from "./base64.js";

/**
 * @typedef {{ idempotencyKey: string, body: string, last4: string }} Submission `last4` of the new or removed card
 * @typedef {{ oldCard?: import("./wire.js").CardOnFile, digits?: string,
 *   personal: Partial<Record<import("./wire.js").PersonalField, string>>,
 *   consents: import("./wire.js").Consent[] }} Entered values that the form asked for, and no others
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

/** @param {Entered} entered @returns {string} of the new card, or else of the old one */
export function lastFour({ digits, oldCard }) {
  return digits?.slice(-4) ?? oldCard?.last4 ?? "";
}
