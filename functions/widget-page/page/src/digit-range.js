// Ranges of leading digits, as `523400` to `523499`; both ends are equally long and included.

/**
 * Returns whether a number that begins with these digits can lie in the range. For use while typing.
 *
 * @param {string} digits @param {string} from @param {string} to
 */
export function fits(digits, from, to) {
  const length = Math.min(digits.length, from.length);
  const lead = digits.slice(0, length);
  // Equally long strings of digits compare as their numbers do.
  return from.slice(0, length) <= lead && lead <= to.slice(0, length);
}

/**
 * Returns whether every number that begins with these digits lies in the range.
 *
 * @param {string} digits @param {string} from @param {string} to
 */
export function isWithin(digits, from, to) {
  return digits.length >= from.length && fits(digits, from, to);
}
