// One attempt to enroll, replace or remove: its key and its body are made once, so that a repeat sends the very same
// request and the very same encrypted pair.

import { encryptCard } from "./encrypt.js";
import { toBase64 } from "./base64.js";

/**
 * @typedef {{ idempotencyKey: string, body: string, last4: string }} Submission `last4` of the card that it is about
 * @typedef {{ oldCard?: import("./wire.js").CardOnFile, digits?: string,
 *   personal: Partial<Record<import("./wire.js").PersonalField, string>>,
 *   consents: import("./wire.js").Consent[] }} Entered what the form asked for, and no more
 */

/**
 * @param {Entered} entered what the customer gave
 * @param {import("./wire.js").FormDescription} description what was asked for
 * @returns {Promise<Submission>}
 */
export async function makeSubmission(entered, description) {
  const idempotencyKey = toBase64(crypto.getRandomValues(new Uint8Array(24)));
  const body = JSON.stringify({
    ...(entered.oldCard && { oldCard: entered.oldCard.id }),
    ...(description.action !== "C" && (await enrollment(entered, description.encryptionKey))),
  });
  return { idempotencyKey, body, last4: lastFour(entered) };
}

/** @param {Entered} entered @returns {string} of the new card, or else of the one that goes */
export function lastFour({ digits, oldCard }) {
  return digits?.slice(-4) ?? oldCard?.last4 ?? "";
}

/**
 * @param {Entered} entered @param {import("./wire.js").EncryptionKey} publicKey
 * @returns {Promise<import("./wire.js").Enrollment>}
 */
async function enrollment({ digits = "", personal, consents }, publicKey) {
  const card = await encryptCard(digits, publicKey);
  return { card, bin: digits.slice(0, 6), last4: digits.slice(-4), ...personal, consents };
}
