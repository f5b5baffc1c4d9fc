// A card number as it is typed: its digits, its groups, and the caret's place among them.

import { brandOf, UNKNOWN } from "./card-brand.js";
import { digitsOf } from "./digits.js";

/**
 * @param {string} digits
 * @returns {string} the digits in the groups that are printed on the card
 */
export function group(digits) {
  const { gaps } = brandOf(digits) ?? UNKNOWN;
  return [...digits].map((digit, index) => (gaps.includes(index) ? ` ${digit}` : digit)).join("");
}

/**
 * What the field holds after an edit, and where the caret then stands: behind the same digit as before. Digits beyond what
 * any card has are kept: a number that was cut could be taken for another card's.
 *
 * @param {{ before: string, value: string, caret: number, inputType?: string }} edit `before`: the grouped value
 *   before the edit, `value`: the one the browser made, `caret`: where it left the caret
 * @returns {{ digits: string, value: string, caret: number }}
 */
export function retype({ before, value, caret, inputType = "" }) {
  let digits = digitsOf(value);
  let digitsBeforeCaret = digitsOf(value.slice(0, caret)).length;

  // Deleting a space deletes nothing that would stay deleted: the digit beyond it is meant.
  if (value.length < before.length && digits === digitsOf(before)) {
    if (inputType === "deleteContentBackward" && digitsBeforeCaret > 0) digitsBeforeCaret -= 1;
    if (/^deleteContent(Back|For)ward$/.test(inputType)) {
      digits = digits.slice(0, digitsBeforeCaret) + digits.slice(digitsBeforeCaret + 1);
    }
  }

  const grouped = group(digits);
  return { digits, value: grouped, caret: placeAfter(grouped, digitsBeforeCaret, !inputType.startsWith("delete")) };
}

/**
 * @param {string} grouped
 * @param {number} count behind how many digits
 * @param {boolean} overGap whether to step over a space that follows, so that the next digit is typed behind it
 */
function placeAfter(grouped, count, overGap) {
  let place = 0;
  for (let seen = 0; place < grouped.length && seen < count; place += 1) {
    if (grouped[place] !== " ") seen += 1;
  }
  return overGap && grouped[place] === " " ? place + 1 : place;
}
