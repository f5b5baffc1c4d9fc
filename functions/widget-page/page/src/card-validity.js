// Validity of a card number, complete or while it is being typed.

import { lengthsOf } from "./card-brand.js";
import { fits, isWithin } from "./digit-range.js";

/**
 * @typedef {import("./wire.js").BinRange} BinRange
 * @typedef {"missing" | "short" | "long" | "wrong" | "other_program"} CardProblem
 */

/**
 * An invalid number is corrected before anything is sent (`docs/sources.md#widget`, "PAN encryption process").
 *
 * @param {string} digits @param {BinRange[]} binRanges of the program; empty means any card
 */
export function isValid(digits, binRanges) {
  return problemOf(digits, binRanges) === undefined;
}

/**
 * @param {string} digits typed so far @param {BinRange[]} binRanges
 * @returns {boolean} false once no further digit can make the number valid
 */
export function couldBecomeValid(digits, binRanges) {
  const longest = Math.max(...lengthsOf(digits));
  if (digits.length > longest || !inProgram(digits, binRanges, fits)) return false;
  return digits.length < longest || passesLuhn(digits);
}

/**
 * @param {string} digits @param {BinRange[]} binRanges
 * @returns {CardProblem | undefined}
 */
export function problemOf(digits, binRanges) {
  const lengths = lengthsOf(digits);
  if (!digits) return "missing";
  if (!inProgram(digits, binRanges, fits)) return "other_program";
  if (digits.length > Math.max(...lengths)) return "long";
  if (!lengths.includes(digits.length)) return "short";
  if (!passesLuhn(digits)) return "wrong";
  return inProgram(digits, binRanges, isWithin) ? undefined : "other_program";
}

/** @param {string} digits @param {BinRange[]} binRanges @param {typeof fits} test */
function inProgram(digits, binRanges, test) {
  return binRanges.length === 0 || binRanges.some(({ from, to }) => test(digits, from, to));
}

/**
 * Luhn check (ISO/IEC 7812-1, annex B).
 *
 * @param {string} digits
 */
export function passesLuhn(digits) {
  const sum = [...digits].reverse().reduce((sum, digit, index) => {
    const value = index % 2 ? Number(digit) * 2 : Number(digit);
    return sum + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
