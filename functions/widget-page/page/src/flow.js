// Flow of one session, from the opening of the page to the outcome. The same for all actions.

import { ACTIONS, partsOf } from "./actions.js";
import { reasonOf } from "./reason.js";
import { lastFour } from "./submission.js";

/**
 * @typedef {{ api: import("./api.js").Api, screens: import("./screens.js").Screens, form: import("./form.js").Form,
 *   expiry: Pick<import("./expiry.js").Expiry, "start" | "stop">, reportEnding: (event: EndedEvent) => void,
 *   canEncrypt: () => boolean, makeSubmission: typeof import("./submission.js").makeSubmission }} Parts
 * @typedef {import("./wire.js").EndedEvent} EndedEvent
 */

// Seconds by which the page's clock and the server's may differ.
const CLOCK_TOLERANCE = 5;

/** @param {Parts} parts */
export function createFlow({ api, screens, form, expiry, reportEnding, canEncrypt, makeSubmission }) {
  /** @type {import("./wire.js").FormDescription | undefined} */
  let description;
  let isBusy = false;
  let isTimedOut = false;

  /** Loads what the page has to show. */
  async function open() {
    isBusy = true;
    screens.loading();
    const answer = await api.open((reason) => {
      screens.setAction(api.action);
      if (reason === "offline" || reason === "busy") screens.stillLoading(reason);
      else screens.stillWaiting(reason);
    });
    isBusy = false;
    screens.setAction(api.action);
    follow(answer, open);
  }

  /** @param {import("./submission.js").Entered} entered */
  async function submit(entered) {
    if (isBusy || !description) return;
    isBusy = true;
    screens.waiting(lastFour(entered));
    let submission;
    try {
      submission = await makeSubmission(entered, description);
    } catch {
      isBusy = false;
      return fail("technical");
    }
    await send(submission);
  }

  /** @param {import("./submission.js").Submission} submission */
  async function send(submission) {
    isBusy = true;
    const answer = await api.submit(submission, screens.stillWaiting);
    isBusy = false;
    // Another tab, or this page before a reload, has an attempt open or has ended the session with one: show its outcome.
    if (answer.kind === "busy" || answer.kind === "expired") return open();
    follow(answer, () => {
      screens.waiting(submission.last4);
      return send(submission);
    });
  }

  /** @param {import("./api.js").Answer} answer @param {() => void} again */
  function follow(answer, again) {
    switch (answer.kind) {
      case "form":
        // Refuse before the customer types anything.
        if (partsOf(answer.form).newCard && !canEncrypt()) return fail("browser");
        description = answer.form;
        form.prepare(answer.form);
        expiry.start(answer.secondsLeft, answer.form.extensionsLeft);
        return screens.form(answer.form.attemptsLeft);
      case "ended":
        return end(answer);
      case "expired":
        return expire(answer);
      case "refused":
        return refuse(answer);
      case "busy":
      case "unsettled":
        return screens.failure("unsettled", { retry: again, ...answer });
      case "unavailable":
      case "unreachable":
        return screens.failure(answer.kind, { retry: again, ...answer });
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "ended" }>} answer */
  function end({ event, attemptsLeft, endingReason, incident }) {
    if (event.status.startsWith("SUCCESS_")) {
      expiry.stop();
      form.reset();
      screens.success(event.last4);
    } else {
      const cause = reasonOf(event, endingReason, attemptsLeft);
      const more = cause === "program" && description ? partsOf(description).readMoreUrl : undefined;
      // Without an address the text must not offer to read more.
      const reason = cause === "program" && !more ? "in_another_program" : cause;
      const retry = attemptsLeft > 0 && !isTimedOut ? tryAgain : undefined;
      const tries = retry && attemptsLeft === 1 ? "one_try_left" : endingReason === "last_try" ? endingReason : undefined;
      if (description) description = { ...description, attemptsLeft };
      if (!retry) {
        expiry.stop();
        form.reset();
      }
      screens.failure(reason, { incident, more, retry, tries });
    }
    reportEnding(event);
  }

  async function tryAgain() {
    if (isTimedOut) return expire();
    // The cards on file may have changed in the meantime.
    if (!description || partsOf(description).cards.length > 0) await open();
    else screens.form(description.attemptsLeft);
    if (screens.current === "form") form.retry();
  }

  /** Reloads the session after the form timed out: another tab may have ended or extended it. */
  async function openOnceMore() {
    isBusy = true;
    screens.loading();
    const answer = await api.open(() => {});
    isBusy = false;
    if (answer.kind === "ended") return end(answer);
    // A session with only moments left has not been extended.
    if (answer.kind === "form" && (answer.secondsLeft ?? 0) > CLOCK_TOLERANCE) {
      isTimedOut = false;
      return follow(answer, open);
    }
    expire(answer.kind === "expired" ? answer : undefined);
  }

  /** @param {{ incident?: string, endingReason?: import("./wire.js").EndingReason }} [answer] */
  function expire({ incident, endingReason } = {}) {
    expiry.stop();
    form.reset();
    screens.failure(endingReason === "suspended" ? endingReason : "expired", { incident });
    reportEnding({ status: "TOKEN_EXPIRED" });
  }

  /** Ends with a failure in the page itself. @param {"browser" | "technical"} reason */
  function fail(reason) {
    expiry.stop();
    form.reset();
    screens.failure(reason);
    reportEnding({ status: ACTIONS[api.action].errorStatus });
  }

  /** @returns {Promise<import("./expiry-notice.js").ExtensionResult>} */
  async function extend() {
    const answer = await api.extend();
    switch (answer.kind) {
      case "extended":
        isTimedOut = false;
        expiry.start(answer.secondsLeft, answer.extensionsLeft);
        return "extended";
      case "exhausted":
        return "exhausted";
      case "expired":
        // A running attempt gets its own answer.
        if (!isBusy) expire(answer);
        return "over";
      case "unreachable":
        return "failed";
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "refused" }>} answer */
  function refuse({ pointers, incident }) {
    const focusField = form.showRefusal(pointers);
    if (focusField) {
      screens.form(description?.attemptsLeft);
      return focusField();
    }
    expiry.stop();
    form.reset();
    screens.failure("refused", { incident });
    reportEnding({ status: "INVALID_PARAMETERS" });
  }

  return {
    open,
    submit,
    extend,
    /** Ends a form whose time is up. A running attempt gets its own answer. */
    timeOut() {
      isTimedOut = true;
      expiry.stop();
      if (isBusy) return;
      form.reset();
      if (screens.current === "form") return openOnceMore();
    },
  };
}
