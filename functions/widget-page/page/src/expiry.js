// Timers of the session: a warning two minutes before its end, and the end itself. A session lasts 15 minutes, and longer if
// the customer extends it.

/** @typedef {ReturnType<typeof createExpiry>} Expiry */

const WARNING = 120;

/**
 * @param {{ warn: (soon: boolean, extensible: boolean) => void, clear: () => void, end: () => void }} handlers `warn`:
 *   `soon` with less than two minutes left; `clear`: the warning no longer applies
 * @param {(act: () => void, milliseconds: number) => any} [later] as `setTimeout`
 */
export function createExpiry({ warn, clear, end }, later = (act, milliseconds) => setTimeout(act, milliseconds)) {
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
    clear();
  };
  return {
    /**
     * @param {number | undefined} secondsLeft unknown if the server sent no time: its 401 then ends the session
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
