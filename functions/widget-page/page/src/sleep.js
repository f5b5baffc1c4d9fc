// Delay between calls. It ends at once when the browser is back online.

/** @param {Pick<Window, "addEventListener" | "removeEventListener" | "setTimeout" | "clearTimeout">} window */
export function createSleep(window) {
  /** @param {number} milliseconds @returns {Promise<void>} */
  return (milliseconds) =>
    new Promise((resolve) => {
      const end = () => {
        window.clearTimeout(timer);
        window.removeEventListener("online", end);
        resolve();
      };
      const timer = window.setTimeout(end, milliseconds);
      window.addEventListener("online", end);
    });
}
