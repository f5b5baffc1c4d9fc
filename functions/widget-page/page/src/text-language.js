// Language of texts that the script shows: a text that falls back to another language gets `lang` and `dir`, so that screen
// readers pronounce it. The template marks its own texts.

/** @typedef {{ lang: string, dir: string, texts: string[] }} Fallback `texts`: dotted paths of the texts in that language */

// Values that were filled in, and the places for them.
const VALUE = /\{\w+\}|\d+/g;

/**
 * Marks texts as they appear, wherever they are set.
 *
 * @param {Document} document @param {Pick<import("./configuration.js").Configuration, "texts" | "fallbacks">} configuration
 */
export function markFallbacks(document, { texts, fallbacks }) {
  const marks = new Map();
  for (const { lang, dir, texts: paths } of fallbacks) {
    for (const path of paths) for (const text of textsAt(texts, path)) marks.set(keyOf(text), { lang, dir });
  }
  if (marks.size === 0) return;
  /** @type {WeakSet<Element>} */
  const marked = new WeakSet();

  /** @param {Element} element */
  function mark(element) {
    const own = element.children.length === 0 && marks.get(keyOf(element.textContent ?? ""));
    if (own) {
      element.setAttribute("lang", own.lang);
      element.setAttribute("dir", own.dir);
      marked.add(element);
    } else if (marked.delete(element)) {
      element.removeAttribute("lang");
      element.removeAttribute("dir");
    }
  }

  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      const element = target instanceof HTMLElement ? target : target.parentElement;
      if (element) mark(element);
      for (const node of addedNodes) {
        if (node instanceof HTMLElement) for (const below of [node, ...node.querySelectorAll("*")]) mark(below);
      }
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** @param {string} text */
const keyOf = (text) => text.trim().replace(VALUE, "#");

/** @param {unknown} texts @param {string} path @returns {string[]} the text at a path, or the forms of a plural */
function textsAt(texts, path) {
  const found = path.split(".").reduce((part, key) => part?.[key], /** @type {any} */ (texts));
  return typeof found === "string" ? [found] : Object.values(found ?? {});
}
