// Two different questions about a card number: could it become valid if typed on, and is it valid?

import { lengthsOf } from "./card-brand.js";
import { fits, isWithin } from "./digit-range.js";

/**
 * @typedef {import("./wire.js").BinRange} BinRange
 * @typedef {"missing" | "short" | "long" | "wrong" | "other_program"} CardProblem
 */

/**
 * Source document 001, "PAN encryption process": a number that fails is to be corrected before anything is sent.
 *
 * @param {string} digits @param {BinRange[]} binRanges the program's; none means any
 */
export function isValid(digits, binRanges) {
  return problemOf(digits, binRanges) === undefined;
}

/**
 * @param {string} digits typed so far @param {BinRange[]} binRanges
 * @returns {boolean} false as soon as no further digit can make it valid
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

/** @param {string} digits @param {BinRange[]} binRanges @param {typeof fits} lies */
function inProgram(digits, binRanges, lies) {
  return binRanges.length === 0 || binRanges.some(({ from, to }) => lies(digits, from, to));
}

/**
 * ISO/IEC 7812-1, annex B.
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
