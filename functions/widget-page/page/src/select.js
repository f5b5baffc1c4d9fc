/**
 * Returns an element of the template, and checks its type.
 *
 * @template {Element} T
 * @param {ParentNode} parent @param {string} selector @param {new () => T} type
 * @returns {T}
 */
export function select(parent, selector, type) {
  const element = parent.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`the page has no ${selector}`);
  return element;
}
