// Brand of a card number, by the issuer identification ranges that the brands publish. Only for display, length and
// grouping: the program's BIN ranges decide whether a card belongs to the program.

import { fits, isWithin } from "./digit-range.js";

/**
 * @typedef {"amex" | "diners" | "discover" | "jcb" | "maestro" | "mastercard" | "unionpay" | "visa"} BrandName
 * @typedef {{ name: BrandName, ranges: [string, string][], lengths: number[], gaps: number[] }} Brand
 *   `gaps`: numbers of digits before each space
 */

const BY_FOUR = [4, 8, 12, 16];
/** @param {number} from @param {number} to */
const lengthsFrom = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** @type {Brand[]} */
const BRANDS = [
  { name: "mastercard", ranges: [["51", "55"], ["2221", "2720"]], lengths: [16], gaps: BY_FOUR },
  { name: "visa", ranges: [["4", "4"]], lengths: [13, 16, 19], gaps: BY_FOUR },
  {
    name: "maestro",
    ranges: [["50", "50"], ["56", "58"], ["63", "63"], ["67", "69"]],
    lengths: lengthsFrom(12, 19),
    gaps: BY_FOUR,
  },
  { name: "amex", ranges: [["34", "34"], ["37", "37"]], lengths: [15], gaps: [4, 10] },
  { name: "discover", ranges: [["6011", "6011"], ["644", "649"], ["65", "65"]], lengths: [16, 19], gaps: BY_FOUR },
  { name: "diners", ranges: [["300", "305"], ["36", "36"], ["38", "39"]], lengths: lengthsFrom(14, 19), gaps: [4, 10] },
  { name: "jcb", ranges: [["3528", "3589"]], lengths: lengthsFrom(16, 19), gaps: BY_FOUR },
  { name: "unionpay", ranges: [["62", "62"]], lengths: lengthsFrom(14, 19), gaps: BY_FOUR },
];

/** Rules for a number of unknown brand: ISO/IEC 7812-1 allows up to 19 digits. */
export const UNKNOWN = { lengths: lengthsFrom(12, 19), gaps: BY_FOUR };

/**
 * @param {string} digits
 * @returns {Brand | undefined} the brand, once the digits determine it
 */
export function brandOf(digits) {
  return BRANDS.find(({ ranges }) => ranges.some(([from, to]) => isWithin(digits, from, to)));
}

/**
 * @param {string} digits the digits typed so far
 * @returns {number[]} possible lengths of a number that begins with these digits
 */
export function lengthsOf(digits) {
  const brand = brandOf(digits);
  if (brand) return brand.lengths;
  const possible = BRANDS.filter(({ ranges }) => ranges.some(([from, to]) => fits(digits, from, to)));
  return possible.length === 1 && possible[0] ? possible[0].lengths : UNKNOWN.lengths;
}
