// One attempt to enrol: its key and its body are made once, so that a repeat sends the very same request and the very
// same encrypted pair.

import { encryptCard } from "./encrypt.js";
import { toBase64 } from "./base64.js";

/**
 * @typedef {{ idempotencyKey: string, body: string, last4: string }} Submission
 * @typedef {{ digits: string, personal: Partial<Record<import("./wire.js").PersonalField, string>>,
 *   consents: import("./wire.js").Consent[] }} Entered
 */

/**
 * @param {Entered} entered what the customer gave
 * @param {import("./wire.js").EncryptionKey} publicKey
 * @returns {Promise<Submission>}
 */
export async function makeSubmission({ digits, personal, consents }, publicKey) {
  const last4 = digits.slice(-4);
  /** @type {import("./wire.js").Enrolment} */
  const enrolment = {
    card: await encryptCard(digits, publicKey),
    bin: digits.slice(0, 6),
    last4,
    ...personal,
    consents,
  };
  const idempotencyKey = toBase64(crypto.getRandomValues(new Uint8Array(24)));
  return { idempotencyKey, body: JSON.stringify(enrolment), last4 };
}
