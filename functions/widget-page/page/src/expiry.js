// A session lives 15 minutes: two minutes before its end the customer is warned, at its end the form is taken away.

/** @typedef {ReturnType<typeof createExpiry>} Expiry */

const WARNING = 120;

/**
 * @param {{ warn: () => void, end: () => void }} then
 * @param {(act: () => void, milliseconds: number) => any} [later] as `setTimeout`
 */
export function createExpiry({ warn, end }, later = (act, milliseconds) => setTimeout(act, milliseconds)) {
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  };
  return {
    /** @param {number | undefined} secondsLeft unknown where the server did not tell its time: its 401 then ends it */
    start(secondsLeft) {
      stop();
      if (secondsLeft === undefined) return;
      if (secondsLeft > WARNING) timers.push(later(warn, (secondsLeft - WARNING) * 1000));
      timers.push(later(end, secondsLeft * 1000));
    },
    stop,
  };
}
