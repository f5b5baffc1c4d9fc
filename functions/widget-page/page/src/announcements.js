// The page's only live region. All announcements to screen readers use it, so that none is read twice.

/** @typedef {(message: string) => void} Announce */

// Milliseconds between emptying and filling the region. Without a delay, screen readers skip a repeated message.
const REREAD_DELAY = 100;

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
    }, REREAD_DELAY);
  };
}
