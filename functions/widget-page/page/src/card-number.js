// A card number while it is typed: its digits, its groups, and the position of the caret.

import { brandOf, UNKNOWN } from "./card-brand.js";
import { digitsOf } from "./digits.js";

/**
 * @param {string} digits
 * @returns {string} the digits in groups, as printed on the card
 */
export function group(digits) {
  const { gaps } = brandOf(digits) ?? UNKNOWN;
  return [...digits].map((digit, index) => (gaps.includes(index) ? ` ${digit}` : digit)).join("");
}

/**
 * Formats the field after an edit; the caret stays behind the same digit. Excess digits are kept: a truncated number could
 * be another card's.
 *
 * @param {{ before: string, value: string, caret: number, inputType?: string }} edit `before`: the grouped value
 *   before the edit; `value` and `caret`: the browser's result
 * @returns {{ digits: string, value: string, caret: number }}
 */
export function reformat({ before, value, caret, inputType = "" }) {
  let digits = digitsOf(value);
  let digitsBeforeCaret = digitsOf(value.slice(0, caret)).length;

  // A deleted space would come back with the grouping: delete the digit next to it.
  if (value.length < before.length && digits === digitsOf(before)) {
    if (inputType === "deleteContentBackward" && digitsBeforeCaret > 0) digitsBeforeCaret -= 1;
    if (/^deleteContent(Back|For)ward$/.test(inputType)) {
      digits = digits.slice(0, digitsBeforeCaret) + digits.slice(digitsBeforeCaret + 1);
    }
  }

  const grouped = group(digits);
  return { digits, value: grouped, caret: caretAfter(grouped, digitsBeforeCaret, !inputType.startsWith("delete")) };
}

/**
 * @param {string} grouped
 * @param {number} count number of digits before the caret
 * @param {boolean} overGap step over a following space, so that the next digit is typed behind it
 */
function caretAfter(grouped, count, overGap) {
  let position = 0;
  for (let seen = 0; position < grouped.length && seen < count; position += 1) {
    if (grouped[position] !== " ") seen += 1;
  }
  return overGap && grouped[position] === " " ? position + 1 : position;
}
