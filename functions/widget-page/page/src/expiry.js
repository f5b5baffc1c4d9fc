// A session lives 15 minutes, and longer if the customer asks: two minutes before its end the customer is warned, at its
// end the form is taken away.

/** @typedef {ReturnType<typeof createExpiry>} Expiry */

const WARNING = 120;

/**
 * @param {{ warn: (soon: boolean, extensible: boolean) => void, calm: () => void, end: () => void }} then `warn`: `soon`
 *   where less than two minutes are left; `calm`: the warning does not hold any more
 * @param {(act: () => void, milliseconds: number) => any} [later] as `setTimeout`
 */
export function createExpiry({ warn, calm, end }, later = (act, milliseconds) => setTimeout(act, milliseconds)) {
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
    calm();
  };
  return {
    /**
     * @param {number | undefined} secondsLeft unknown where the server did not tell its time: its 401 then ends it
     * @param {number} extensionsLeft
     */
    start(secondsLeft, extensionsLeft) {
      stop();
      if (secondsLeft === undefined) return;
      const early = secondsLeft - WARNING;
      timers.push(later(() => warn(early < 0, extensionsLeft > 0), Math.max(early, 0) * 1000));
      timers.push(later(end, secondsLeft * 1000));
    },
    stop,
  };
}
