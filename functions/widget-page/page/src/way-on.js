// Way on: where a customer goes from an end. The address of the session's partner (`returnUrl`), or the client's own page for
// a page without a session (`homeUrl`). In a frame the embedding page decides: it gets the event `return`.

/**
 * @typedef {{ url: string | undefined, status?: import("./wire.js").Status | undefined, isHome?: boolean }} Way `status`: the
 *   last one reported; absent where the customer leaves without an outcome
 * @typedef {ReturnType<typeof createWayOn>} WayOn
 */

// Schemes that run or read something instead of leading somewhere. The server has refused them already.
const UNUSABLE = /^(javascript|data|blob|file|vbscript|about):/i;
const ADDRESS = /^[a-z][a-z0-9+.-]*:/i;

/**
 * @param {Window & typeof globalThis} window
 * @param {import("./configuration.js").Texts} texts
 * @param {import("./embedding.js").Dispatch} dispatch
 */
export function createWayOn(window, texts, dispatch) {
  const { document } = window;
  const isFramed = window.parent !== window;

  /** @param {Way} way */
  function leave({ status }) {
    dispatch("return", status ? { status } : {});
  }

  return {
    /**
     * Shows the way on in a screen. Without one the customer is told to close the page, unless there is more to do.
     *
     * @param {HTMLElement} slot @param {Way} way @param {{ isMain?: boolean, isLast?: boolean }} [place] `isMain`: the
     *   screen's main button; `isLast`: the screen offers nothing else
     */
    show(slot, way, { isMain = false, isLast = isMain } = {}) {
      slot.replaceChildren();
      if (isUsable(way.url)) {
        const element = document.createElement(isFramed ? "button" : "a");
        element.className = isMain ? "primary" : "secondary";
        element.textContent = way.isHome ? texts.way_on.home : texts.way_on.back;
        if (element instanceof window.HTMLAnchorElement) element.href = withStatus(way.url, way.status);
        else {
          element.setAttribute("type", "button");
          element.addEventListener("click", () => leave(way));
        }
        slot.append(element);
      } else if (isLast && !isFramed) {
        const note = document.createElement("p");
        note.className = "close";
        note.textContent = texts.way_on.close;
        slot.append(note);
      }
      slot.hidden = !slot.firstChild;
    },

    /** Leaves the page at once, if the session says where to. @param {string | undefined} url */
    go(url) {
      if (!isUsable(url)) return;
      if (isFramed) leave({ url });
      else window.location.assign(url);
    },
  };
}

/** @param {string | undefined} url @returns {url is string} */
function isUsable(url) {
  return typeof url === "string" && ADDRESS.test(url) && !UNUSABLE.test(url);
}

/**
 * Adds the status to the query, and changes nothing else: `URLSearchParams` would write the rest of the query anew.
 *
 * @param {string} url @param {import("./wire.js").Status | undefined} status
 */
export function withStatus(url, status) {
  if (!status) return url;
  const end = url.indexOf("#");
  const [address, fragment] = end < 0 ? [url, ""] : [url.slice(0, end), url.slice(end)];
  const separator = !address.includes("?") ? "?" : /[?&]$/.test(address) ? "" : "&";
  return `${address}${separator}status=${status}${fragment}`;
}
