// What must not leave the page in a name or an e-mail address. The server refuses the same
// (`shared/enrollment/src/flows/submission.rs`).

import { digitsOf } from "./digits.js";
import { passesLuhn } from "./card-validity.js";

// Letters and the sign of an address; whatever else stands between digits, people put it between the groups of a number.
const BETWEEN_NUMBERS = /[\p{Alphabetic}@]+/u;
const UNUSABLE = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

// ISO/IEC 7812-1: payment cards begin with 2 to 6. Many telephone numbers with their country do not.
const CARD_NUMBER = /^[2-6]\d{12,18}$/;

/**
 * Twelve digits or more, of any script and with anything between them, are no name. An e-mail address may hold as many, a
 * telephone number for instance: what stands between its letters must be a card number by first, last and count of digits.
 *
 * @param {string} value @param {import("./wire.js").PersonalField} name
 */
export function looksLikeCardNumber(value, name) {
  if (name !== "email" || !value.includes("@")) return digitsOf(value).length >= 12;
  const numbers = value.split(BETWEEN_NUMBERS).map(digitsOf);
  return numbers.some((digits) => CARD_NUMBER.test(digits) && passesLuhn(digits));
}

/** Characters that XML has no place for, or that show nothing. @param {string} value */
export function isUnusable(value) {
  return UNUSABLE.test(value);
}
