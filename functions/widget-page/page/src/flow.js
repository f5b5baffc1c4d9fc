// The flow of one enrolment, from the opening of the page to its end.

import { NoCryptography } from "./encrypt.js";

/**
 * @typedef {{ api: import("./api.js").Api, screens: import("./screens.js").Screens, form: import("./form.js").Form,
 *   expiry: Pick<import("./expiry.js").Expiry, "start" | "stop">, tellEnding: (event: EndedEvent) => void,
 *   makeSubmission: typeof import("./submission.js").makeSubmission }} Parts
 * @typedef {import("./wire.js").EndedEvent} EndedEvent
 */

/** @param {Parts} parts */
export function createFlow({ api, screens, form, expiry, tellEnding, makeSubmission }) {
  /** @type {import("./wire.js").FormDescription | undefined} */
  let description;
  let busy = false;
  let over = false;

  /** Asks what there is to show. */
  async function open() {
    busy = true;
    screens.loading();
    const answer = await api.open((why) => (why === "offline" ? screens.stillLoading() : screens.stillWaiting(why)));
    busy = false;
    follow(answer, open);
  }

  /** @param {import("./submission.js").Entered} entered */
  async function submit(entered) {
    if (busy || !description) return;
    busy = true;
    screens.waiting(entered.digits.slice(-4));
    let submission;
    try {
      submission = await makeSubmission(entered, description.encryptionKey);
    } catch (error) {
      busy = false;
      screens.failure(error instanceof NoCryptography ? "browser" : "technical");
      tellEnding({ status: "ERROR_ENROLLMENT" });
      return;
    }
    await send(submission);
  }

  /** @param {import("./submission.js").Submission} submission */
  async function send(submission) {
    busy = true;
    const answer = await api.enrol(submission, screens.stillWaiting);
    busy = false;
    // Another tab, or this page before it was reloaded, has an attempt open: its outcome is what there is to show.
    if (answer.kind === "busy") return open();
    follow(answer, () => {
      screens.waiting(submission.last4);
      return send(submission);
    });
  }

  /** @param {import("./api.js").Answer} answer @param {() => void} again */
  function follow(answer, again) {
    switch (answer.kind) {
      case "form":
        description = answer.form;
        form.prepare(answer.form);
        expiry.start(answer.secondsLeft);
        return screens.form();
      case "ended":
        return end(answer);
      case "expired":
        return expire(answer.incident);
      case "refused":
        return refuse(answer);
      case "busy":
      case "unsettled":
        return screens.failure("unsettled", { retry: again, ...answer });
      case "unreachable":
        return screens.failure("unreachable", { retry: again, ...answer });
    }
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "ended" }>} answer */
  function end({ event, attemptsLeft, incident }) {
    if (event.status === "SUCCESS_ENROLLMENT") {
      expiry.stop();
      form.forget();
      screens.success(event.last4);
    } else {
      const reason = reasonOf(event);
      const more = reason === "program" ? description?.terms?.url : undefined;
      const retry = attemptsLeft > 0 && description ? anotherTry : undefined;
      screens.failure(reason, { incident, more, retry });
    }
    tellEnding(event);
  }

  function anotherTry() {
    if (over) return expire();
    screens.form();
    form.retry();
  }

  /** @param {string} [incident] */
  function expire(incident) {
    expiry.stop();
    form.forget();
    screens.failure("expired", { incident });
    tellEnding({ status: "TOKEN_EXPIRED" });
  }

  /** @param {Extract<import("./api.js").Answer, { kind: "refused" }>} answer */
  function refuse({ pointers, incident }) {
    const lead = form.refuse(pointers);
    if (lead) {
      screens.form();
      return lead();
    }
    screens.failure("refused", { incident });
    tellEnding({ status: "INVALID_PARAMETERS" });
  }

  return {
    open,
    submit,
    /** The session's time is up. An attempt that is under way has its own answer. */
    timeIsUp() {
      over = true;
      if (!busy && screens.current === "form") expire();
    },
  };
}

/**
 * Which words suit MRS's code (source document 001, table of status codes). Without a code, and for the codes that
 * say the card is not eligible, they are the client's own.
 *
 * @param {EndedEvent} event @returns {import("./screens.js").Reason}
 */
export function reasonOf({ status, statusCode }) {
  if (status === "TOKEN_EXPIRED") return "expired";
  if (status === "ACCESS_DENIED") return "access_denied";
  if (status === "INVALID_PARAMETERS") return "invalid_parameters";
  switch (statusCode) {
    case undefined:
    case "-44":
    case "-52":
      return "program";
    case "-45":
      return "already_enrolled";
    case "-50":
      return "customer_already_enrolled";
    default:
      return "technical";
  }
}
