// A new card, as enrollments and replacements send it, and the reasons for which MRS refuses it.

import { encryptCard } from "./encrypt.js";

/**
 * @param {import("./submission.js").Entered} entered
 * @param {import("./wire.js").EncryptionKey} publicKey
 * @returns {Promise<import("./wire.js").Enrollment>}
 */
export async function newCardBody({ digits = "", personal, consents }, publicKey) {
  const card = await encryptCard(digits, publicKey);
  return { card, bin: digits.slice(0, 6), last4: digits.slice(-4), ...personal, consents };
}

/** @param {string} [statusCode] @returns {import("./reason.js").Reason} `program` where the card is not eligible */
export function newCardReason(statusCode) {
  switch (statusCode) {
    case "-44":
    case "-52":
      return "program";
    case "-45":
      return "already_enrolled";
    default:
      return "technical";
  }
}
