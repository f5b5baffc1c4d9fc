// Flow of one session, from the opening of the page to the outcome. The same for all actions.

import { ACTIONS, partsOf } from "./actions.js";
import { reasonOf } from "./reason.js";
import { lastFour } from "./submission.js";

/**
 * @typedef {{ api: import("./api.js").Api, screens: import("./screens.js").Screens, form: import("./form.js").Form,
 *   expiry: Pick<import("./expiry.js").Expiry, "start" | "stop">, reportEnding: (event: EndedEvent, isLast: boolean) => void,
 *   canEncrypt: () => boolean, makeSubmission: typeof import("./submission.js").makeSubmission, later: Later,
 *   homeUrl?: string | undefined, leave: (url: string | undefined) => void, tellReady: () => void, tellDone: () => void }} Parts
 *   `leave`: leaves the page for an address; `tellReady`: a screen says something; `tellDone`: nothing more is offered
 * @typedef {(act: () => void, milliseconds: number) => () => void} Later returns a function that cancels it
 * @typedef {import("./wire.js").EndedEvent} EndedEvent
 */

// Seconds by which the page's clock and the server's may differ.
const CLOCK_TOLERANCE = 5;
// Milliseconds that an attempt waits in the form. Most take less, and change the screen once.
const WAIT_IN_FORM = 6000;

/** @param {Parts} parts */
export function createFlow({ api, screens, form, expiry, reportEnding, canEncrypt, makeSubmission, later, homeUrl, leave, tellReady, tellDone }) {
  /** @type {import("./wire.js").FormDescription | undefined} */
  let description;
  /** @type {string | undefined} */
  let returnUrl;
  /** @type {import("./wire.js").Status | undefined} */
  let lastStatus;
  let isBusy = false;
  let isTimedOut = false;
  // An attempt was sent, and its outcome is not known.
  let isUnsettled = false;

  /** @param {EndedEvent} event @param {boolean} [isLast] no further attempt is offered */
  function report(event, isLast = true) {
    lastStatus = event.status;
    reportEnding(event, isLast);
  }

  /** @returns {import("./way-on.js").Way} way back with the status of the last event */
  function wayBack() {
    return { url: returnUrl, status: lastStatus };
  }

  /** @param {(reason: import("./api.js").WaitReason) => void} onWaiting */
  async function read(onWaiting) {
    isBusy = true;
    screens.loading();
    const answer = await api.open(onWaiting);
    isBusy = false;
    if (answer.kind === "ended" || answer.kind === "form") isUnsettled = false;
    if ("returnUrl" in answer) ({ returnUrl } = answer);
    return answer;
  }

  /** Loads what the page has to show. */
  async function open() {
    const answer = await read((reason) => {
      screens.setAction(api.action);
      if (reason === "offline" || reason === "busy") screens.stillLoading(reason);
      else screens.stillWaiting(reason);
      // The answer may take longer than an embedding page waits.
      tellReady();
    });
    screens.setAction(api.action);
    follow(answer, open);
    tellReady();
  }

  /** @param {import("./submission.js").Entered} entered */
  async function submit(entered) {
    if (isBusy || !description) return;
    isBusy = true;
    form.hold();
    let submission;
    try {
      submission = await makeSubmission(entered, description);
    } catch {
      isBusy = false;
      form.release();
      return fail("technical");
    }
    const stopWaiting = later(() => screens.waiting(lastFour(entered)), WAIT_IN_FORM);
    await send(submission, (reason) => {
      // A reason for a long wait is told at once.
      if (screens.current === "form" && reason !== "open") screens.waiting(submission.last4);
      if (screens.current !== "form") screens.stillWaiting(reason);
    }, stopWaiting);
  }

  /**
   * @param {import("./submission.js").Submission} submission
   * @param {(reason: import("./api.js").WaitReason) => void} onWaiting @param {() => void} [stopWaiting]
   */
  async function send(submission, onWaiting, stopWaiting = () => {}) {
    isBusy = true;
    const answer = await api.submit(submission, onWaiting);
    isBusy = false;
    isUnsettled = !("event" in answer) && answer.kind !== "refused";
    stopWaiting();
    form.release();
    // Another tab, or this page before a reload, has an attempt open or has ended the session with one: show its outcome.
    if (answer.kind === "busy" || answer.kind === "expired") return open();
    follow(answer, () => {
      screens.waiting(submission.last4);
      return send(submission, screens.stillWaiting);
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
        return screens.failure("unsettled", { retry: again, way: { url: returnUrl }, ...answer });
      case "unavailable":
      case "unreachable":
        return screens.failure(answer.kind, { retry: again, way: { url: returnUrl }, ...answer });
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "ended" }>} answer */
  function end({ event, attemptsLeft, endingReason, incident }) {
    const isSuccess = event.status.startsWith("SUCCESS_");
    const mayRetry = !isSuccess && attemptsLeft > 0 && !isTimedOut;
    report(event, !mayRetry);
    if (isSuccess) {
      expiry.stop();
      form.reset();
      return screens.success(event.last4, wayBack());
    }
    const cause = reasonOf(event, endingReason, attemptsLeft);
    const more = cause === "program" && description ? partsOf(description).readMoreUrl : undefined;
    // Without an address the text must not offer to read more.
    const reason = cause === "program" && !more ? "in_another_program" : cause;
    if (description) description = { ...description, attemptsLeft };
    if (mayRetry && description && isAboutCard(reason) && partsOf(description).newCard) return refuseCard(reason, more);
    if (!mayRetry) {
      expiry.stop();
      form.reset();
    }
    const tries = endingReason === "last_try" ? endingReason : mayRetry ? attemptsLeft : undefined;
    screens.failure(reason, { incident, more, retry: mayRetry ? tryAgain : undefined, tries, way: wayBack() });
  }

  /** Shows in the form that the card was refused. @param {import("./reason.js").Reason} reason @param {string | undefined} more */
  function refuseCard(reason, more) {
    screens.form(description?.attemptsLeft, wayBack());
    form.refuseCard(screens.messageOf(reason === "already_enrolled" ? "another_card" : reason), more);
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
    const answer = await read(() => {});
    if (answer.kind === "ended") return end(answer);
    // A session with only moments left has not been extended.
    if (answer.kind === "form" && (answer.secondsLeft ?? 0) > CLOCK_TOLERANCE) {
      isTimedOut = false;
      return follow(answer, open);
    }
    const isUnanswered = answer.kind !== "form" && answer.kind !== "expired";
    if (isUnsettled && isUnanswered) return follow(answer, openOnceMore);
    expire(answer.kind === "expired" ? answer : undefined);
  }

  /** @param {{ incident?: string, endingReason?: import("./wire.js").EndingReason }} [answer] */
  function expire({ incident, endingReason } = {}) {
    expiry.stop();
    form.reset();
    report({ status: "TOKEN_EXPIRED" });
    // A session that the server never described is none.
    const way = returnUrl || description ? wayBack() : { url: homeUrl, isHome: true };
    screens.failure(endingReason === "suspended" ? endingReason : "expired", { incident, way });
  }

  /** Ends with a failure in the page itself. @param {"browser" | "technical"} reason */
  function fail(reason) {
    expiry.stop();
    form.reset();
    report({ status: ACTIONS[api.action].errorStatus });
    screens.failure(reason, { way: wayBack() });
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
    report({ status: "INVALID_PARAMETERS" });
    screens.failure("refused", { incident, way: wayBack() });
  }

  return {
    open,
    submit,
    extend,
    /** Ends without an outcome: the customer keeps the card. */
    keep() {
      if (isBusy) return;
      expiry.stop();
      form.reset();
      // Nothing was asked for, so there is no event, and no status to add to the address.
      screens.failure("kept", { way: { url: returnUrl } });
      tellDone();
      leave(returnUrl);
    },
    /** Ends a form, or the offer of another try, whose time is up. A running attempt gets its own answer. */
    timeOut() {
      isTimedOut = true;
      expiry.stop();
      if (isBusy) return;
      form.reset();
      return openOnceMore();
    },
  };
}

/** Returns whether MRS's refusal is about the card number, so that another one may do. @param {import("./reason.js").Reason} reason */
function isAboutCard(reason) {
  return reason === "program" || reason === "in_another_program" || reason === "already_enrolled";
}
