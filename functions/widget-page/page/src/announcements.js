// The one live region of the page. Whatever a screen reader is to say goes through it, so that nothing is said twice.

/** @typedef {(message: string) => void} Announce */

// A live region that is emptied and filled at once is not read again; a moment between the two makes it so.
const MOMENT = 100;

/** @param {HTMLElement} panel @returns {Announce} */
export function createAnnouncements(panel) {
  /** @type {string[]} */
  let pending = [];
  return (message) => {
    if (pending.includes(message) || pending.push(message) > 1) return;
    panel.textContent = "";
    setTimeout(() => {
      panel.textContent = pending.join(" ");
      pending = [];
    }, MOMENT);
  };
}
