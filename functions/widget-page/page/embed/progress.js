// Progress of an opening to its one outcome: what the frame reports, and what it fails to report in time.

/** @typedef {CardEnrollment.Outcome} Outcome */

// Milliseconds for a document of the frame to report `ready`.
const READY_WITHIN = 20_000;
// Milliseconds for the customer to read the outcome in a modal before the promise settles. The modal stays.
const READ_WITHIN = 10_000;
// Other statuses are refusals of one attempt, after which another may succeed.
const FINAL = /^(SUCCESS_|TOKEN_EXPIRED$|ACCESS_DENIED$|INVALID_PARAMETERS$)/;

/**
 * @param {{ isModal: boolean, settle: (outcome: Outcome) => void, giveUp: (wasReady: boolean) => void }} parts
 *   `settle` is called once; `giveUp` instead of it if the frame never got ready, or stopped working without an outcome
 */
export function createProgress({ isModal, settle, giveUp }) {
  let documents = 0;
  let readies = 0;
  let isOver = false;
  /** @type {Outcome | undefined} */
  let last;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let reading;
  let watching = setTimeout(lose, READY_WITHIN);

  /** @param {() => void} tell */
  function finish(tell) {
    if (isOver) return;
    isOver = true;
    clearTimeout(watching);
    clearTimeout(reading);
    tell();
  }

  function lose() {
    finish(() => (last ? settle(last) : giveUp(readies > 0)));
  }

  /** @param {Outcome} outcome */
  function decide(outcome) {
    const tell = () => finish(() => settle(outcome));
    clearTimeout(reading);
    if (isModal) reading = setTimeout(tell, READ_WITHIN);
    else tell();
  }

  return {
    /** A document was loaded, or the browser's page about a failure. A later one than the first gets as much time. */
    loaded() {
      documents += 1;
      if (isOver || readies === 0 || documents <= readies) return;
      clearTimeout(watching);
      watching = setTimeout(lose, READY_WITHIN);
    },

    ready() {
      readies = Math.max(readies + 1, documents);
      clearTimeout(watching);
    },

    /** `enrollmentEnded`, before the partner's listeners, which may leave the frame. @param {Outcome} outcome */
    note(outcome) {
      last = outcome;
      clearTimeout(watching);
    },

    /** The same, after them. @param {Outcome} outcome */
    ended(outcome) {
      if (FINAL.test(outcome.status)) decide(outcome);
    },

    /** `done`: nothing more is offered. Without an outcome the customer chose to change nothing. */
    done() {
      decide(last ?? { status: "CLOSED" });
    },

    /** The customer or the partner left the frame. */
    left() {
      finish(() => settle(last ?? { status: "CLOSED" }));
    },

    /** The promise was rejected. */
    stop: () => finish(() => {}),
  };
}
