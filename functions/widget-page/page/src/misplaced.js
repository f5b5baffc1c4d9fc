// Content that must not leave the page in a name or an e-mail address: card numbers and unusable characters. The server
// refuses the same (`shared/enrollment/src/flows/submission/new_card.rs`).

import { digitsOf } from "./digits.js";
import { passesLuhn } from "./card-validity.js";

// Letters and `@` separate numbers. Anything else between digits can be the separator of a number's groups.
const BETWEEN_NUMBERS = /[\p{Alphabetic}@]+/u;
const UNUSABLE = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

// ISO/IEC 7812-1: payment cards begin with 2 to 6. Many international telephone numbers do not.
const CARD_NUMBER = /^[2-6]\d{12,18}$/;

/**
 * Returns whether the value contains a card number. In a name, twelve digits of any script with anything between them are
 * enough. An e-mail address may contain a telephone number: there, first digit, length and check digit must match.
 *
 * @param {string} value @param {import("./wire.js").PersonalField} name
 */
export function looksLikeCardNumber(value, name) {
  if (name !== "email" || !value.includes("@")) return digitsOf(value).length >= 12;
  const numbers = value.split(BETWEEN_NUMBERS).map(digitsOf);
  return numbers.some((digits) => CARD_NUMBER.test(digits) && passesLuhn(digits));
}

/** Returns whether the value has characters that XML forbids or that are invisible. @param {string} value */
export function isUnusable(value) {
  return UNUSABLE.test(value);
}
