// Words of a sentence that lead to a document. Texts mark them with brackets; older translations have none.

/**
 * Finds the linked words: those in brackets, or else the given ones, which follow a sentence that lacks them.
 *
 * @param {string} sentence as `I accept the [Terms & Conditions]` @param {string} fallback as `Terms & Conditions`
 * @returns {{ before: string, words: string, after: string }}
 */
export function linkedWords(sentence, fallback) {
  const marked = /^([^[\]]*)\[([^[\]]+)\]([^[\]]*)$/.exec(sentence);
  if (marked) return { before: marked[1] ?? "", words: marked[2] ?? "", after: marked[3] ?? "" };
  const start = sentence.indexOf(fallback);
  if (start < 0 || !fallback) return { before: `${sentence} `, words: fallback, after: "" };
  return { before: sentence.slice(0, start), words: fallback, after: sentence.slice(start + fallback.length) };
}

/**
 * @param {Document} document @param {string} words @param {string} url @param {string} title says that a new tab opens; not part
 *   of the words, which may be part of another control's name
 */
export function createLink(document, words, url, title) {
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.title = title;
  link.textContent = words;
  return link;
}
